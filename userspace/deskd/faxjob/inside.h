/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The room's insides. faxes owns the open faxes; one that has ended is only a row. */
#pragma once

#include "base/clock.h"
#include "base/fsm.h"
#include "faxjob/faxjob.h"

enum fax_state {
	FAX_CONVERTING, /* out: its pages are made; in: its PDF and letters are made */
	FAX_WAITING,    /* for its time or a line */
	FAX_CALLING,
	FAX_SENDING,
	FAX_RECEIVING,
	FAX_RECEIVED,
	FAX_SENT,
	FAX_FAILED,
	FAX_CANCELLED,
	FAX_STATES
};
enum fax_event {
	FAX_PAGES_MADE,
	FAX_UNFIT,     /* nothing can be made of it */
	FAX_CALL,
	FAX_ANSWERED,
	FAX_AGAIN,     /* the try is over, another follows */
	FAX_DONE,
	FAX_GIVE_UP,
	FAX_CANCEL,
	FAX_ARRIVED,   /* its pages are stored */
	FAX_DELIVER,   /* its letters are written */
	FAX_OFFERED,   /* a fax machine calls */
	FAX_EVENTS
};

struct fax {
	struct tl_faxes *faxes;
	struct tl_fsm fsm;
	char *id;
	unsigned serial; /* of this object: the same fax may be forgotten and read again */
	bool incoming, partial, busy; /* busy: a conversion, a transfer or a commit is under way */
	bool cancelled; /* asked for, maybe by an earlier desk; the end of its call ends it */
	char *box, *contact, *called, *calling, *remote_ident, *sender, *subject, *source, *source_type, *document, *picture, *batch, *why;
	unsigned pages, pages_done, priority, bit_rate;
	unsigned tries; /* its calls so far: the last one's number */
	unsigned tried; /* of these count, since it was given (again) */
	int64_t next_utc_us, created_utc_us, ended_utc_us;
	int64_t without_line_utc_us; /* since when; 0: there was one */
	unsigned without_line;       /* so many calls in a row, as far as this desk knows */
	struct line *line;   /* that it holds */
	char *trouble;       /* fax.ended's, of this try */
	unsigned cause;      /* out: of the call that has ended before its machine had its say */
	struct tl_timer *again; /* after a failure that may pass, or when that say does not come */
	unsigned faults;        /* of this machine, one after the other */
	int64_t faulty_since_us;
	GPtrArray *parts;    /* in: sha256 of pages */
	GPtrArray *replaced; /* out: PDFs made of office documents: "--replace=N=PATH" of a mail, or the PATH of a document */
};

struct line { /* counted: a fax may hold one that is no longer configured */
	char *name, *to;
	char **prefixes;
	unsigned lines, busy;
};

struct box {
	char *name, *ident, *header, *header_zone, *number, *subject, *text, *ocr;
	char **deliver;
	bool tiff, no_ecm;
	unsigned pages_max;
};
struct sender {
	char **addresses;
	char *token, *box;
	unsigned priority;
};

struct tl_faxes {
	struct tl_faxes_config config; /* its pointers to settings are not used */
	char *name, *mail_from, *quiet, *zone, *cover, *body;
	char **domains, **block;
	GPtrArray *boxes, *senders, *lines; /* struct box, sender, line */
	tl_fax_changed on_changed;
	void *user;
	int64_t epoch;
	unsigned reign;         /* an epoch may be lost and had again: tells apart what was begun in between */
	unsigned loading;
	bool stopping;
	GHashTable *open;       /* id -> struct fax */
	struct tl_timer *due;
	unsigned serials;
	unsigned number;        /* tells ids of the same moment apart */
};

/* faxjob.c */
void line_unref(struct line *line);

/* jobs.c */
struct fax *fax_new(struct tl_faxes *faxes, const char *id, bool incoming);
void fax_free(void *fax);
bool fax_fire(struct fax *fax, enum fax_event event, const void *data);
const char *fax_state_name(const struct fax *fax);
/** What is wrong with @name as a state's; NULL: nothing. (transfer full) */
char *fax_state_fault(const char *name);
char *fax_new_id(struct tl_faxes *faxes);
/** The state as it is now into @transaction. */
void fax_save(struct fax *fax, struct tl_transaction *transaction);
/** One row of fax_columns. */
struct fax *fax_load(struct tl_faxes *faxes, const struct tl_result *result, unsigned statement, unsigned row);
#define FAX_COLUMNS                                                                                                                \
	"id, direction, state, partial, box, contact, called, calling, remote_ident, sender, subject, source, source_type, document, picture, " \
	"pages, pages_done, batch, priority, tries, next_utc_us, why, created_utc_us, ended_utc_us, cancelled, tried, without_line_utc_us"
#define FAX_COLUMNS_N 27
/** Saves and tells; one that has ended is forgotten by it. */
void fax_settle(struct fax *fax, const char *why, int64_t next_utc_us);
void fax_tell(struct fax *fax);
/** This machine could not do its step, for @why: it is tried again, later each time. False: for too long already. */
bool fax_try_step_again(struct fax *fax, const char *why);
JsonObject *fax_json(const struct fax *fax);
const struct box *fax_box(struct tl_faxes *faxes, const char *name);
struct fax *fax_of_contact(struct tl_faxes *faxes, const char *contact);

/* A step whose answer comes later: the fax may be gone, or the reign over, by then. */
struct step {
	struct tl_faxes *faxes;
	char *id;
	unsigned reign, serial; /* serial: 0 when it began without its fax */
	unsigned number; /* an office part; a page */
	char *name;
};
struct step *step_new(const struct fax *fax);
/** Ends @step and returns its fax, or NULL when that is gone. */
struct fax *step_end(struct step *step);
/** Likewise, but does not end it. */
struct fax *step_fax(const struct step *step);

/* outgoing.c */
bool outgoing_is_blocked(const struct tl_faxes *faxes, const char *number);
/** What is over in the end: told to who sent it, in the same commit. */
void outgoing_finish(struct fax *fax, enum fax_event event, const char *why);

/* pages.c */
void outgoing_convert(struct fax *fax);

/* tries.c */
void outgoing_look(struct tl_faxes *faxes);
void outgoing_resume(struct fax *fax, bool has_contact, bool ended, unsigned cause);
/** Its call has ended. */
void outgoing_over(struct fax *fax, unsigned cause);
/** ... and nothing more is to be heard of it. */
void outgoing_try_over(struct fax *fax, unsigned cause);
void outgoing_event(struct fax *fax, const char *event, JsonObject *params);
void outgoing_answered(struct fax *fax, struct tl_contact *contact);
/** One that is cancelled: its call is ended as soon as that can be said, or it ends at once without one. */
void outgoing_cancel(struct fax *fax);

/* incoming.c */
void incoming_deliver(struct fax *fax);
void incoming_event(struct fax *fax, const char *event, JsonObject *params);
void incoming_over(struct fax *fax);

/* reports.c */
/** Whether @message answers a letter of ours; it is taken care of then. */
bool reports_take(struct tl_faxes *faxes, struct tl_post_door *door, uint64_t letter, const struct tl_blob *message,
		  const char *const *recipients);

/* letters.c */
/** Adds the letters of a received fax (its document is there), or of a result, to @transaction. */
void letters_received(struct fax *fax, struct tl_transaction *transaction);
void letters_result(struct fax *fax, struct tl_transaction *transaction);
JsonObject *fax_options(const struct box *box, bool sending);
/** @template with its {names} filled in. (transfer full) */
char *letters_fill(struct fax *fax, const char *template);
