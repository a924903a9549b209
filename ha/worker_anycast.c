/* SPDX-License-Identifier: ISC */
#include "ha/worker_impl.h"

#include "common/base/clock.h"
#include "common/base/log.h"

/*
 * The worker's anycast services: beside the virtual routers, after them in
 * each round since some follow their role.
 */

int worker_anycast_make(
	struct worker *w, const struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->anycast_count; i++) {
		struct anycast *a = anycast_new(&config->anycast[i], &w->env);

		if (!a)
			return err_fail(err, -ENOMEM,
				"anycast %s: out of "
				"memory",
				config->anycast[i].name);
		w->anycasts[w->anycast_count++] = a;
	}
	return 0;
}

void worker_anycast_free(struct worker *w)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		anycast_free(w->anycasts[i]);
	w->anycast_count = 0;
}

static bool is_master(const struct worker *w, const char *name)
{
	for (size_t i = 0; *name && i < w->count; i++)
		if (strcmp(w->instances[i]->conf.name, name) == 0)
			return w->instances[i]->st.role == STATE_MASTER;
	return false;
}

void worker_anycast_tick(struct worker *w, enum track_service service)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		anycast_tick(w->anycasts[i], service,
			is_master(w, w->anycasts[i]->conf.instance),
			mtime_now().us);
}

int64_t worker_anycast_deadline(const struct worker *w)
{
	int64_t t = INT64_MAX;

	for (size_t i = 0; i < w->anycast_count; i++) {
		int64_t due = anycast_deadline(w->anycasts[i]);

		if (due < t)
			t = due;
	}
	return t;
}

void worker_anycast_excuse(struct worker *w, int64_t late_us)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		probe_excuse(&w->anycasts[i]->probe, late_us);
}

void worker_anycast_see_addrs(struct worker *w, const struct kernel_view *v)
{
	for (size_t i = 0; i < w->anycast_count; i++) {
		struct anycast *a = w->anycasts[i];

		anycast_scan_begin(a);
		for (size_t k = 0; k < v->addr_count; k++)
			anycast_scan_addr(a, &v->addrs[k]);
		anycast_scan_end(a, v->ticket, mtime_now().us);
	}
}

void worker_anycast_see_routes(struct worker *w)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		anycast_scan_routes(w->anycasts[i], mtime_now().us);
}

bool worker_anycast_refused(
	struct worker *w, const struct kernel_failure *f, int64_t now_us)
{
	for (size_t i = 0; i < w->anycast_count; i++) {
		if (w->anycasts[i]->owner != f->owner)
			continue;
		anycast_refused(w->anycasts[i], f, now_us);
		return true;
	}
	return false;
}

void worker_anycast_close(struct worker *w)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		anycast_close(w->anycasts[i]);
}

/* --- start -------------------------------------------------------------- */

static bool keep_route(void *arg, const struct iface_route *route)
{
	const struct worker *w = arg;

	bool local = route->table == IFACE_TABLE_LOCAL;

	for (size_t i = 0; i < w->anycast_count; i++)
		if ((local ? w->anycasts[i]->conf.for_frr
			   : w->anycasts[i]->conf.table == route->table) &&
			anycast_owns(
				w->anycasts[i], route->family, route->octets))
			return true;
	return false;
}

void worker_anycast_sweep(struct worker *w)
{
	int rc = iface_route_sweep(w->iface, keep_route, w);

	if (rc > 0)
		log_warn("ha: removed routes left by a crash: count=%d", rc);
	if (rc < 0)
		log_warn("ha: cannot look for routes left by a crash: %s",
			strerror(-rc));
}

void worker_anycast_adopt(struct worker *w, bool drained)
{
	for (size_t i = 0; i < w->anycast_count; i++) {
		anycast_drain(w->anycasts[i], drained);
		anycast_adopt(w->anycasts[i], mtime_now().us);
	}
}

bool worker_anycast_owns(const struct worker *w, const struct iface_addr *addr)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		if (w->anycasts[i]->st.metric &&
			!w->anycasts[i]->conf.for_frr &&
			anycast_owns(
				w->anycasts[i], addr->family, addr->octets))
			return true;
	return false;
}

/* --- change ------------------------------------------------------------- */

static struct anycast *find_same(
	const struct worker *w, const struct config_anycast *conf)
{
	for (size_t i = 0; i < w->anycast_count; i++)
		if (!w->anycasts[i]->removed &&
			config_same_anycast(&w->anycasts[i]->conf, conf))
			return w->anycasts[i];
	return NULL;
}

int worker_anycast_prepare(struct worker *w, struct anycast_change *change,
	const struct config *next, struct err *err)
{
	for (size_t i = 0; i < next->anycast_count; i++) {
		if (find_same(w, &next->anycast[i]))
			continue;
		change->made[i] = anycast_new(&next->anycast[i], &w->env);
		if (!change->made[i])
			return err_fail(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static bool is_listed(
	struct anycast *const list[], size_t count, const struct anycast *a)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == a)
			return true;
	return false;
}

/* Who is not in the new list leaves; who was leaving already ends now. */
static size_t retire(struct worker *w, struct anycast_change *change,
	const struct config *next, struct anycast *list[WORKER_ANYCASTS],
	size_t count)
{
	size_t active = count;

	for (size_t i = 0; i < w->anycast_count; i++) {
		struct anycast *a = w->anycasts[i];
		bool was_removed = a->removed;

		if (is_listed(list, active, a))
			continue;
		anycast_remove(a, next, mtime_now().us);
		if (!was_removed) {
			list[count++] = a;
			continue;
		}
		anycast_close(a);
		change->gone[change->gone_count++] = a;
	}
	return count;
}

void worker_anycast_switch(struct worker *w, struct anycast_change *change,
	const struct config *next, bool drained)
{
	struct anycast *list[WORKER_ANYCASTS];
	size_t count = next->anycast_count;
	int64_t now = mtime_now().us;

	for (size_t i = 0; i < count; i++) {
		list[i] = change->made[i];
		change->made[i] = NULL;
		if (list[i]) { /* perhaps only its name is new */
			anycast_drain(list[i], drained);
			anycast_adopt(list[i], now);
		} else {
			list[i] = find_same(w, &next->anycast[i]);
			anycast_reconf(list[i], &next->anycast[i], next, now);
		}
	}
	count = retire(w, change, next, list, count);
	memcpy(w->anycasts, list, count * sizeof(list[0]));
	w->anycast_count = count;
}

void worker_anycast_done(struct anycast_change *change)
{
	for (size_t i = 0; i < CONFIG_ANYCAST; i++)
		anycast_free(change->made[i]);
	for (size_t i = 0; i < change->gone_count; i++)
		anycast_free(change->gone[i]);
}

size_t worker_anycasts(struct worker *w)
{
	return w->anycast_count;
}

struct anycast *worker_anycast(struct worker *w, size_t i)
{
	return w->anycasts[i];
}
