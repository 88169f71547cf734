// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service table: what this kernel answers, for all namespaces. Found under
 * RCU; a request holds its service until it is finished, and unregistering
 * waits for that.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include "rpc.h"

static DEFINE_XARRAY(services);
static DEFINE_MUTEX(services_lock);

int rpc_service_init(void)
{
	return krg_rpc_register(&rpc_echo);
}

void rpc_service_exit(void)
{
	krg_rpc_unregister(&rpc_echo);
	WARN_ON_ONCE(!xa_empty(&services));
	xa_destroy(&services);
}

/**
 * krg_rpc_register() - begin to answer a kind of request, in all namespaces
 * @svc: the service; stays valid until krg_rpc_unregister()
 *
 * Context: process. Locks: none.
 * Return: 0; -EINVAL: number, handler or lengths make no sense; -EBUSY: the
 * number is taken; -ENOMEM.
 */
int krg_rpc_register(const struct krg_rpc_service *svc)
{
	struct rpc_service *service;
	int err;

	if (!svc->id || !svc->handle || svc->max_request > KRG_RPC_MAX_BULK ||
	    svc->max_reply > KRG_RPC_MAX_BULK)
		return -EINVAL;
	/* Posts keep their order, and none is refused: it would not come again. */
	if (svc->flags & KRG_RPC_POSTS &&
	    (svc->flags & KRG_RPC_MAY_BLOCK || !(svc->flags & KRG_RPC_ANY_EPOCH) ||
	     svc->max_request > KRG_RPC_MAX_CONTROL - PAGE_SIZE))
		return -EINVAL;
	service = kzalloc(sizeof(*service), GFP_KERNEL);
	if (!service)
		return -ENOMEM;
	service->svc = svc;
	refcount_set(&service->ref, 1);
	init_completion(&service->idle);
	mutex_lock(&services_lock);
	err = xa_insert(&services, svc->id, service, GFP_KERNEL);
	mutex_unlock(&services_lock);
	if (err)
		kfree(service);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_register);

/**
 * krg_rpc_unregister() - stop answering; waits for handlers that are running
 * @svc: the service
 *
 * Context: process, not from one of its handlers. Locks: none that a handler takes.
 */
void krg_rpc_unregister(const struct krg_rpc_service *svc)
{
	struct rpc_service *service;

	mutex_lock(&services_lock);
	service = xa_load(&services, svc->id);
	if (WARN_ON_ONCE(!service || service->svc != svc)) {
		mutex_unlock(&services_lock);
		return;
	}
	xa_erase(&services, svc->id);
	mutex_unlock(&services_lock);
	rpc_service_put(service);
	wait_for_completion(&service->idle);
	/* The last put may still be in complete(): it runs under RCU or not at all. */
	synchronize_rcu();
	kfree(service);
}
EXPORT_SYMBOL_GPL(krg_rpc_unregister);

struct rpc_service *rpc_service_get(u16 id)
{
	struct rpc_service *service;

	rcu_read_lock();
	service = xa_load(&services, id);
	if (service && !refcount_inc_not_zero(&service->ref))
		service = NULL;
	rcu_read_unlock();
	return service;
}

void rpc_service_put(struct rpc_service *service)
{
	if (!service)
		return;
	rcu_read_lock();
	if (refcount_dec_and_test(&service->ref))
		complete_all(&service->idle);
	rcu_read_unlock();
}

/* What may be sent to and expected from a service this kernel knows. */
bool rpc_service_limits(u16 id, u32 *max_request, u32 *max_reply, unsigned int *flags)
{
	struct rpc_service *service;

	rcu_read_lock();
	service = xa_load(&services, id);
	if (service) {
		*max_request = service->svc->max_request;
		*max_reply = service->svc->max_reply;
		*flags = service->svc->flags;
	}
	rcu_read_unlock();
	return service;
}
