/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One contact's way through a flow, as a table of states. */
#include <string.h>

#include "base/fsm.h"
#include "flow/destination.h"
#include "flow/services.h"

/* So many destinations without the caller hearing or doing anything are a circle. */
#define HOPS_MAX 16
#define PROMPT_FALLBACK_S 30
#define CAUSE_TEMPORARY_FAILURE 41
#define CAUSE_NORMAL 16
#define CAUSE_UNSPECIFIED 31

enum state { BEGIN, ANNOUNCE, MENU, QUEUE, FAREWELL, CONNECT, FAX, OVER, STATES };
enum event { START, PLAYED, KEY, NO_KEY, GO_MENU, GO_SERVICE, GO_QUEUE, GO_FAREWELL, GO_CONNECT, GO_RELEASE, GO_FAX, OVERFLOW, FAILED, EVENTS };

static const char *const states[STATES] = { "begin", "announce", "menu", "queue", "farewell", "connect", "fax", "over" };
static const char *const events[EVENTS] = { "start",      "played",      "key",        "no-key",     "go-menu",  "go-service",
					    "go-queue", "go-farewell", "go-connect", "go-release", "go-fax", "overflow", "failed" };

struct tl_flow_run {
	struct tl_flows *flows;
	const struct tl_flow_service *first, *service; /* as dialled; as led to */
	const struct tl_flow_ops *ops;
	void *user;
	struct tl_fsm fsm;
	unsigned tries, hops;
	bool greet; /* the announcement comes before the menu's first prompt */
	char *to; /* the destination it is at, as text; NULL in the service that was dialled */
};

static void fire(struct tl_flow_run *run, enum event event, const void *data)
{
	tl_fsm_fire(&run->fsm, event, run, data);
}

static void go(struct tl_flow_run *run, const char *text)
{
	static const enum event event_of[] = { [TL_TO_QUEUE] = GO_QUEUE, [TL_TO_SERVICE] = GO_SERVICE,
					       [TL_TO_ANNOUNCEMENT] = GO_FAREWELL, [TL_TO_CONNECT] = GO_CONNECT,
					       [TL_TO_RELEASE] = GO_RELEASE, [TL_TO_FAX] = GO_FAX,
					       [TL_TO_CLEAR] = GO_CONNECT };
	struct tl_destination to;
	char *own = g_strdup(text);
	g_free(run->to);
	run->to = own;
	if (!tl_destination_parse(own, &to, NULL) || ++run->hops > HOPS_MAX)
		to = (struct tl_destination){ TL_TO_RELEASE, NULL, CAUSE_UNSPECIFIED };
	fire(run, event_of[to.kind], &to);
}

/* What the node does alone: where the caller would get in the end, as far as a node can take it there. */
static void tell_step(struct tl_flow_run *run, const char *step, const char *then, unsigned after_s)
{
	struct tl_flow_fallback fallback = { .cause = CAUSE_TEMPORARY_FAILURE, .after_s = after_s };
	struct tl_destination to;
	if (tl_destination_parse(then, &to, NULL)) {
		if (to.kind == TL_TO_ANNOUNCEMENT)
			fallback.route = then;
		else if (to.kind == TL_TO_CONNECT || to.kind == TL_TO_CLEAR)
			fallback.route = to.what;
		else if (to.kind == TL_TO_RELEASE)
			fallback.cause = to.cause;
	}
	run->ops->step(run->user, step, &fallback);
}

static void on_start(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	(void)data;
	run->tries = 0;
	run->greet = true;
	/* With a menu both are one prompt: who knows the keys need not wait for the end. */
	if (!run->service->announce[0] || run->service->menu[0]) {
		fire(run, PLAYED, NULL);
		return;
	}
	tell_step(run, run->to ? run->to : "announce", run->service->otherwise, PROMPT_FALLBACK_S);
	run->ops->play(run->user, run->service->announce);
}

static void on_menu(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	(void)data;
	if (!run->service->menu[0]) {
		go(run, run->service->otherwise);
		return;
	}
	run->tries++;
	tell_step(run, run->to ? run->to : "menu", run->service->otherwise, PROMPT_FALLBACK_S);
	g_autoptr(GPtrArray) sounds = g_ptr_array_new();
	for (const char *const *sound = run->service->announce; run->greet && *sound; sound++)
		g_ptr_array_add(sounds, (char *)*sound);
	for (const char *const *sound = run->service->menu_prompt; *sound; sound++)
		g_ptr_array_add(sounds, (char *)*sound);
	g_ptr_array_add(sounds, NULL);
	run->greet = false;
	run->ops->collect(run->user, (const char *const *)sounds->pdata, run->service->menu_wait_s);
}

static void try_again(struct tl_flow_run *run)
{
	if (run->tries >= run->service->menu_tries)
		go(run, run->service->otherwise);
	else
		fire(run, GO_MENU, NULL);
}

static void on_key(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const char *to = tl_flow_menu_lookup(run->service, *(const char *)data);
	run->hops = 0;
	if (to)
		go(run, to);
	else
		try_again(run);
}

static void on_no_key(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const char *to = tl_flow_menu_lookup(run->service, 't');
	(void)data;
	run->hops = 0;
	if (to)
		go(run, to);
	else
		try_again(run);
}

static void on_service(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const struct tl_destination *to = data;
	const struct tl_flow_service *service = tl_flows_service(run->flows, to->what);
	if (service)
		run->service = service;
	on_start(run, NULL);
}

static void on_queue(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const struct tl_destination *to = data;
	const struct tl_flow_queue *queue = tl_flows_queue(run->flows, to->what);
	if (!queue) {
		tl_flow_run_failed(run, CAUSE_UNSPECIFIED);
		return;
	}
	tell_step(run, run->to, queue->overflow, queue->overflow_s ? queue->overflow_s : 3600);
	run->ops->queue(run->user, queue);
}

static void on_overflow(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	struct tl_destination here;
	(void)data;
	const struct tl_flow_queue *queue =
		tl_destination_parse(run->to, &here, NULL) ? tl_flows_queue(run->flows, here.what) : NULL;
	run->hops = 0;
	go(run, queue ? queue->overflow : "release:31");
}

static void on_farewell(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const struct tl_destination *to = data;
	const char *sounds[] = { to->what, NULL };
	tell_step(run, run->to, "release:16", PROMPT_FALLBACK_S);
	run->ops->play(run->user, sounds);
}

static void on_farewell_played(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	(void)data;
	run->ops->release(run->user, CAUSE_NORMAL);
}

static void on_connect(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const struct tl_destination *to = data;
	tell_step(run, run->to, run->to, PROMPT_FALLBACK_S);
	run->ops->connect(run->user, to->what, to->kind == TL_TO_CLEAR);
}

static void on_fax(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	const struct tl_destination *to = data;
	tell_step(run, run->to, "release:16", PROMPT_FALLBACK_S);
	run->ops->fax(run->user, to->what);
}

static void on_release(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	run->ops->release(run->user, ((const struct tl_destination *)data)->cause);
}

static void on_failed(void *user, const void *data)
{
	struct tl_flow_run *run = user;
	run->ops->release(run->user, *(const unsigned *)data);
}

#define GOES_FROM(state)                                                                              \
	{ state, GO_SERVICE, ANNOUNCE, on_service }, { state, GO_QUEUE, QUEUE, on_queue },             \
	{ state, GO_FAREWELL, FAREWELL, on_farewell }, { state, GO_CONNECT, CONNECT, on_connect },     \
	{ state, GO_FAX, FAX, on_fax }, { state, GO_RELEASE, OVER, on_release }, { state, FAILED, OVER, on_failed }

static const struct tl_fsm_row rows[] = {
	{ BEGIN, START, ANNOUNCE, on_start },
	{ BEGIN, GO_MENU, MENU, on_menu },
	GOES_FROM(BEGIN),
	{ ANNOUNCE, PLAYED, MENU, on_menu },
	GOES_FROM(ANNOUNCE),
	{ MENU, GO_MENU, MENU, on_menu },
	{ MENU, KEY, MENU, on_key },
	{ MENU, NO_KEY, MENU, on_no_key },
	GOES_FROM(MENU),
	{ QUEUE, OVERFLOW, QUEUE, on_overflow },
	GOES_FROM(QUEUE),
	{ FAREWELL, PLAYED, OVER, on_farewell_played },
	{ FAREWELL, FAILED, OVER, on_failed },
	{ FAX, FAILED, OVER, on_failed },
	{ CONNECT, FAILED, OVER, on_failed },
};

const struct tl_fsm_machine tl_flow_machine = {
	.name = "flow", .states = states, .n_states = STATES, .events = events, .n_events = EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows), .initial = BEGIN,
};

struct tl_flow_run *tl_flow_run_new(const struct tl_flows *flows, const char *service, const struct tl_flow_ops *ops,
				    void *user)
{
	struct tl_flow_run *run = g_new0(struct tl_flow_run, 1);
	run->flows = tl_flows_ref((struct tl_flows *)flows);
	run->first = run->service = tl_flows_service(flows, service);
	g_assert(run->service);
	run->ops = ops;
	run->user = user;
	tl_fsm_init(&run->fsm, &tl_flow_machine);
	return run;
}

void tl_flow_run_free(struct tl_flow_run *run)
{
	if (!run)
		return;
	tl_flows_free(run->flows);
	g_free(run->to);
	g_free(run);
}

void tl_flow_run_start(struct tl_flow_run *run, const char *step)
{
	struct tl_destination to;
	tl_fsm_init(&run->fsm, &tl_flow_machine);
	run->hops = 0;
	run->service = run->first;
	run->greet = false;
	g_clear_pointer(&run->to, g_free);
	if (run->first->fax_tone && (!step || !g_str_has_prefix(step, "fax:")))
		run->ops->detect_fax(run->user);
	if (!g_strcmp0(step, "menu"))
		fire(run, GO_MENU, NULL);
	else if (step && tl_destination_parse(step, &to, NULL))
		go(run, step);
	else
		fire(run, START, NULL);
}

void tl_flow_run_played(struct tl_flow_run *run)
{
	if (run->fsm.state == ANNOUNCE || run->fsm.state == FAREWELL) /* music ends as well: nothing follows from it */
		fire(run, PLAYED, NULL);
}

void tl_flow_run_collected(struct tl_flow_run *run, const char *digits)
{
	if (run->fsm.state != MENU)
		return;
	if (*digits)
		fire(run, KEY, digits);
	else
		fire(run, NO_KEY, NULL);
}

void tl_flow_run_overflowed(struct tl_flow_run *run)
{
	if (run->fsm.state == QUEUE)
		fire(run, OVERFLOW, NULL);
}

void tl_flow_run_fax_tone(struct tl_flow_run *run)
{
	bool voice = run->fsm.state == ANNOUNCE || run->fsm.state == MENU || run->fsm.state == QUEUE;
	if (voice && run->first->fax_tone)
		go(run, run->first->fax_tone);
}

void tl_flow_run_failed(struct tl_flow_run *run, unsigned cause)
{
	fire(run, FAILED, &cause);
}
