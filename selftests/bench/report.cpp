// SPDX-License-Identifier: GPL-2.0-only
//
// bench-report METRICS [JSONFILE]: read "sample ID TERM VALUE UNIT" lines on
// standard input, print for each row of METRICS the medians of both terms,
// their ratio, gate and goal; the same as JSON. Exit status 1 if a gate is
// missed, a metric was not measured or a sample line is malformed; 3 if a row is void.
//
// A run is void where the baseline itself moved: if the medians of R1's first
// half and second half differ by more than 10 %.
#include <algorithm>
#include <fmt/core.h>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace
{

constexpr size_t min_samples = 5;
constexpr double max_drift = 0.10;

struct Term {
	std::vector<double> values;
	std::string unit;
};

using Terms = std::map<std::string, Term>;

struct Metric {
	std::string id, what, numerator, denominator, sense;
	double gate, goal;

	[[nodiscard]] bool meets(double ratio, double bound) const
	{
		return sense == "<=" ? ratio <= bound : ratio >= bound;
	}
};

double median(std::vector<double> v)
{
	std::sort(v.begin(), v.end());
	const size_t mid = v.size() / 2;
	return v.size() % 2 ? v[mid] : (v[mid - 1] + v[mid]) / 2;
}

std::vector<Metric> read_metrics(const char *path)
{
	std::vector<Metric> rows;
	std::ifstream in(path);
	for (std::string line; std::getline(in, line);) {
		if (line.empty() || line[0] == '#')
			continue;
		std::istringstream s(line);
		Metric m;
		std::string gate, goal;
		std::getline(s, m.id, '|');
		std::getline(s, m.what, '|');
		std::getline(s, m.numerator, '|');
		std::getline(s, m.denominator, '|');
		std::getline(s, gate, '|');
		std::getline(s, goal, '|');
		std::getline(s, m.sense);
		m.gate = std::stod(gate);
		m.goal = std::stod(goal);
		rows.push_back(std::move(m));
	}
	return rows;
}

// Relative difference of the medians of both halves, in the order measured.
double drift(const std::vector<double> &v)
{
	if (v.size() < 4)
		return 0;
	const auto half = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
	const double a = median({v.begin(), half}), b = median({half, v.end()});
	return std::abs(a - b) / std::min(a, b);
}

std::optional<nlohmann::json> judge(const Metric &m, const std::map<std::string, Terms> &all)
{
	const auto terms = all.find(m.id);
	if (terms == all.end())
		return std::nullopt;
	const auto num = terms->second.find(m.numerator), den = terms->second.find(m.denominator);
	if (num == terms->second.end() || den == terms->second.end())
		return std::nullopt;
	const double a = median(num->second.values), b = median(den->second.values);
	if (b <= 0)
		return std::nullopt;
	const double ratio = a / b;
	const size_t n = std::min(num->second.values.size(), den->second.values.size());
	std::string verdict = m.meets(ratio, m.goal) ? "goal" : m.meets(ratio, m.gate) ? "gate" : "missed";
	if (n < min_samples)
		verdict = "too few samples";
	if (m.denominator == "R1" && drift(den->second.values) > max_drift)
		verdict = "void";
	return nlohmann::json{{"id", m.id},
			      {"what", m.what},
			      {"numerator", {{"term", m.numerator}, {"median", a}, {"unit", num->second.unit}}},
			      {"denominator", {{"term", m.denominator}, {"median", b}, {"unit", den->second.unit}}},
			      {"samples", n},
			      {"ratio", ratio},
			      {"sense", m.sense},
			      {"gate", m.gate},
			      {"goal", m.goal},
			      {"verdict", verdict}};
}

bool read_samples(std::istream &in, std::map<std::string, Terms> &all)
{
	bool good = true;
	for (std::string line; std::getline(in, line);) {
		std::istringstream s(line);
		std::string word, id, term, unit;
		double value;
		if (!(s >> word) || word != "sample") {
			fmt::print("{}\n", line);
			continue;
		}
		if (!(s >> id >> term >> value >> unit) || !(value >= 0)) {
			fmt::print(stderr, "bench-report: malformed sample: {}\n", line);
			good = false;
			continue;
		}
		Term &t = all[id][term];
		t.values.push_back(value);
		t.unit = unit;
	}
	return good;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fmt::print(stderr, "usage: bench-report METRICS [JSONFILE]\n");
		return 2;
	}
	std::map<std::string, Terms> all;
	bool good = read_samples(std::cin, all), is_void = false;
	nlohmann::json out = nlohmann::json::array();
	for (const Metric &m : read_metrics(argv[1])) {
		const auto row = judge(m, all);
		if (!row) {
			fmt::print("{:8} {}: not measured\n", m.id, m.what);
			good = false;
			continue;
		}
		const auto &num = (*row)["numerator"], &den = (*row)["denominator"];
		const std::string verdict = (*row)["verdict"];
		fmt::print(
		    "{:8} {}\n         {} {:.6g} {} / {} {:.6g} {} = {:.4f}   gate {} {}, goal {} {}   n={}   {}\n",
		    m.id, m.what, m.numerator, num["median"].get<double>(), num["unit"].get<std::string>(),
		    m.denominator, den["median"].get<double>(), den["unit"].get<std::string>(),
		    (*row)["ratio"].get<double>(), m.sense, m.gate, m.sense, m.goal, (*row)["samples"].get<size_t>(),
		    verdict);
		if (verdict != "goal" && verdict != "gate")
			good = false;
		if (verdict == "void")
			is_void = true;
		out.push_back(*row);
	}
	if (argc == 3)
		std::ofstream(argv[2]) << out.dump(2) << '\n';
	return is_void ? 3 : good ? 0 : 1;
}
