/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "trunkctl.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

struct question {
	const struct place *place;
	GMainLoop *loop;
	const char *method;
	JsonObject *params; /* until sent */
	JsonObject *result;
	int status;
	bool listening;
	void (*on_event)(const char *name, JsonObject *params, void *user);
	void *user;
};

static void fail(struct question *question, const GError *error)
{
	fprintf(stderr, "trunkctl: %s\n", error->message);
	question->status = 1;
	g_main_loop_quit(question->loop);
}

static void on_answer(JsonObject *result, const GError *error, void *user)
{
	struct question *question = user;
	if (error) {
		if (error->code != TL_CONTROL_CLOSED)
			fail(question, error);
		return; /* a lost connection is told by on_close */
	}
	question->result = result ? json_object_ref(result) : json_object_new();
	if (!question->listening)
		g_main_loop_quit(question->loop);
}

static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	struct question *question = user;
	if (question->method && question->params)
		tl_control_client_call(client, question->method, g_steal_pointer(&question->params), on_answer, question);
}

static void on_close(struct tl_control_client *client, const GError *why, void *user)
{
	fail(user, why);
}

static void on_event(struct tl_control_client *client, const char *name, JsonObject *params, void *user)
{
	struct question *question = user;
	if (question->on_event)
		question->on_event(name, params, question->user);
}

static gboolean stop(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static void run(struct question *question, const char *whom)
{
	static const struct tl_control_client_handler handler = { on_open, on_close, on_event };
	struct tl_control_client_config config = {
		.schema = whom,
		.address = !strcmp(whom, "node") ? question->place->node : question->place->desk,
		.token = question->place->token,
		.name = "trunkctl",
		.check = question->place->check,
	};
	question->loop = g_main_loop_new(NULL, FALSE);
	guint interrupt = g_unix_signal_add(SIGINT, stop, question->loop);
	guint terminate = g_unix_signal_add(SIGTERM, stop, question->loop);
	struct tl_control_client *client = tl_control_client_new(&config, &handler, question);
	g_main_loop_run(question->loop);
	tl_control_client_free(client);
	g_source_remove(interrupt);
	g_source_remove(terminate);
	g_main_loop_unref(question->loop);
	g_clear_pointer(&question->params, json_object_unref);
}

JsonObject *ask(const struct place *place, const char *whom, const char *method, JsonObject *params)
{
	struct question question = { .place = place, .method = method, .params = params ? params : json_object_new() };
	run(&question, whom);
	if (question.status)
		g_clear_pointer(&question.result, json_object_unref);
	return question.result;
}

int listen_to(const struct place *place, const char *whom, const char *method, JsonObject *params,
	      void (*on_heard)(const char *name, JsonObject *params, void *user), void *user)
{
	struct question question = { .place = place, .method = method, .params = params ? params : json_object_new(),
		.listening = true, .on_event = on_heard, .user = user };
	run(&question, whom);
	g_clear_pointer(&question.result, json_object_unref);
	return question.status;
}
