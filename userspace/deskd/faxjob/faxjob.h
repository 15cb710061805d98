/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Faxes as jobs. In: what a fax box has received becomes a PDF (or TIFF) and
 * letters to whom the box says. Out: a mail, or a document of the API, becomes
 * pages, waits for its time and a free line, is tried again by cause, and its
 * result is told, page by page, as it was. Every step is a row before it is a
 * deed, so that another desk goes on where one died.
 * Thread: main.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "archive/archive.h"
#include "contact/contact.h"
#include "paper/paper.h"
#include "post/post.h"

struct tl_faxes;

#define TL_FAXJOB_ERROR (tl_faxjob_error_quark())
GQuark tl_faxjob_error_quark(void);
enum tl_fax_error_code { TL_FAX_ERROR_VALUE, TL_FAX_ERROR_UNKNOWN, TL_FAX_ERROR_STATE, TL_FAX_ERROR_STORAGE, TL_FAX_ERROR_NOT_CONDUCTOR };

/* ---- settings; copied ---- */

/** A fax box: per-number settings of reception, and who we are when sending. */
struct tl_fax_box {
	const char *name;
	const char *ident, *header, *header_zone, *number; /* number: the calling one we present */
	const char *const *deliver; /* mail:ADDRESS, dir:PATH, http(s)://URL */
	const char *subject, *text; /* templates with {from} {to} {pages} {ident} {date} {id} {note} */
	const char *ocr;            /* command with {in} and {out}, or NULL */
	bool tiff, no_ecm;
	unsigned pages_max;
};
/** Who may send by mail. */
struct tl_fax_sender {
	const char *const *addresses; /* a@b or *@b */
	const char *token, *box;
	unsigned priority;
};
/** Lines to the network. */
struct tl_fax_line {
	const char *name, *to;
	const char *const *prefixes; /* empty: any number */
	unsigned lines;
};
struct tl_faxes_config {
	const char *name;     /* of the desk */
	const char *mail_from, *const *domains;
	const char *quiet;    /* "22:00-07:00" or NULL */
	const char *zone;     /* of quiet hours and dates; NULL: the system's */
	const char *const *block;
	const char *cover, *body;
	bool standard, letter;
	unsigned tries, retry_busy_s, retry_no_answer_s, retry_trouble_s, keep_days;
	unsigned no_line_h;   /* for so long calls for which there was no line do not count as tries */
	unsigned convert_retry_s, convert_give_up_s; /* when this machine cannot convert: first, doubled; and for how long */
	const struct tl_fax_box *boxes;
	unsigned n_boxes;
	const struct tl_fax_sender *senders;
	unsigned n_senders;
	const struct tl_fax_line *lines;
	unsigned n_lines;
	struct tl_store *store;
	struct tl_blobs *blobs;
	struct tl_papers *papers;
	struct tl_post *post;
	struct tl_archive *archive;
	struct tl_contacts *contacts;
};

/** @fax: desk.schema.json's fax; borrowed. */
typedef void (*tl_fax_changed)(JsonObject *fax, void *user);

/** (transfer full) */
struct tl_faxes *tl_faxes_new(const struct tl_faxes_config *config, tl_fax_changed on_changed, void *user);
/** Other settings, the same rooms; faxes under way go on by them. */
void tl_faxes_configure(struct tl_faxes *faxes, const struct tl_faxes_config *config);
/** Nothing is asked of it any more: the rooms that it uses are going. */
void tl_faxes_stop(struct tl_faxes *faxes);
void tl_faxes_free(struct tl_faxes *faxes);
/** The reign @epoch: open faxes are read and go on. */
void tl_faxes_begin(struct tl_faxes *faxes, int64_t epoch);
void tl_faxes_end(struct tl_faxes *faxes);

/* ---- what happens on lines ---- */

/** A call has come to the box @box: a fax machine answers. */
void tl_faxes_receive(struct tl_faxes *faxes, struct tl_contact *contact, const char *box);
/** A call placed for a fax was answered. */
void tl_faxes_answered(struct tl_faxes *faxes, struct tl_contact *contact);
/** A node is connected and has said what lives there. */
void tl_faxes_reachable(struct tl_faxes *faxes);
/** @id: as in its command, the id of the contact that has or had it. */
void tl_faxes_event(struct tl_faxes *faxes, const char *id, const char *event, JsonObject *params);
/**
 * The journal of a node has a fact, maybe of a time when no desk heard its events: a page of a sent fax that was confirmed
 * counts with the commit that stores the fact, and is told to its fax thereafter, as the end is. Other facts: nothing.
 */
void tl_faxes_storing(struct tl_transaction *transaction, JsonObject *fact, void *faxes);
void tl_faxes_fact(struct tl_faxes *faxes, JsonObject *fact);
/** A contact of kind fax has ended. */
void tl_faxes_over(struct tl_faxes *faxes, struct tl_contact *contact);

/* For the archive and the post. */
void tl_faxes_item(struct tl_transaction *transaction, const struct tl_spool_item *item, void *faxes);
void tl_faxes_stored(const struct tl_spool_item *item, void *faxes);
char *tl_faxes_recipient(const char *sender, const char *recipient, void *faxes);
void tl_faxes_mail(struct tl_post_door *door, uint64_t letter, const struct tl_blob *message, const char *sender,
		   const char *const *recipients, void *faxes);

/* ---- what operators ask for ---- */

struct tl_fax_request {
	const char *const *to;  /* numbers; more than one is a batch */
	const char *sha256, *name; /* the document, a blob with a row */
	const char *box;        /* NULL: the first */
	const char *tell;       /* mail address for the result; NULL: nobody */
	const char *subject;
	unsigned priority;      /* 1 to 9; 0: 5 */
	int64_t not_before_utc_us;
};
/** @result: what desk.schema.json says of the method; borrowed; NULL with an error of TL_FAXJOB_ERROR or the store. */
typedef void (*tl_fax_done)(JsonObject *result, const GError *error, void *user);
void tl_faxes_send(struct tl_faxes *faxes, const struct tl_fax_request *request, tl_fax_done on_done, void *user);
/** The latest first. @batch, @state: NULL: any. */
void tl_faxes_list(struct tl_faxes *faxes, unsigned max, const char *batch, const char *state, tl_fax_done on_done, void *user);
/** With its tries, pages and deliveries. */
void tl_faxes_show(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user);
/** @id: of a fax or a batch. Stored before it is answered; a call under way is ended. What was sent already stays sent. */
void tl_faxes_cancel(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user);
/** One that failed or was cancelled is tried anew, from the first page that was not confirmed; in: delivered anew. */
void tl_faxes_retry(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user);
/** A file of the fax: "pages" (TIFF), "pdf", or a picture of page @page (from 1) @width wide. */
typedef void (*tl_fax_file)(const char *path, const char *type, const GError *error, void *user);
void tl_faxes_file(struct tl_faxes *faxes, const char *id, const char *what, unsigned page, unsigned width, tl_fax_file on_done, void *user);

/** Why this machine cannot convert documents now; NULL: it can. Borrowed until the main loop goes on. */
const char *tl_faxes_alarm(const struct tl_faxes *faxes);

/** A fax's table of states, to be printed and checked. */
extern const struct tl_fsm_machine tl_faxjob_machine;

/** Whether @quiet ("22:00-07:00") holds at @minute of the day; *@left_min: until its end. Pure. */
bool tl_fax_quiet(const char *quiet, unsigned minute, unsigned *left_min);
/** Whether @address is one of @patterns ("a@b", "*@b"), whatever the case. Pure. */
bool tl_fax_address_matches(const char *const *patterns, const char *address);
