/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <errno.h>
#include <openssl/crypto.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "secure/srtp-backend.h"

static int error_of(srtp_err_status_t status)
{
	static const struct {
		srtp_err_status_t status;
		int error;
	} errors[] = {
		{ srtp_err_status_ok, 0 },
		{ srtp_err_status_auth_fail, -EBADMSG },
		{ srtp_err_status_cipher_fail, -EBADMSG },
		{ srtp_err_status_replay_fail, -EALREADY },
		{ srtp_err_status_replay_old, -ESTALE },
		{ srtp_err_status_key_expired, -EKEYEXPIRED },
		{ srtp_err_status_no_ctx, -EUSERS },
		{ srtp_err_status_alloc_fail, -EUSERS },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(errors); i++)
		if (errors[i].status == status)
			return errors[i].error;
	return -EINVAL;
}

static srtp_err_status_t library_start(void)
{
	static srtp_err_status_t status;
	static gsize once;

	if (g_once_init_enter(&once)) {
		status = srtp_init();
		g_once_init_leave(&once, 1);
	}
	return status;
}

static void *libsrtp_new(const struct tl_srtp_config *config, GError **error)
{
	uint8_t key[TL_SRTP_KEY_OCTETS + TL_SRTP_SALT_MAX];
	srtp_profile_t profile = config->profile == TL_SRTP_AEAD_AES_128_GCM ? srtp_profile_aead_aes_128_gcm
									      : srtp_profile_aes128_cm_sha1_80;
	srtp_policy_t policy = {
		.ssrc.type = config->direction == TL_SRTP_SEND ? ssrc_any_outbound : ssrc_any_inbound,
		.key = key,
		.window_size = TL_SRTP_WINDOW,
	};
	srtp_err_status_t status = library_start();
	srtp_t session = NULL;

	memcpy(key, config->key.key, TL_SRTP_KEY_OCTETS);
	memcpy(key + TL_SRTP_KEY_OCTETS, config->key.salt, TL_SRTP_SALT_MAX);
	srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
	srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
	if (status == srtp_err_status_ok)
		status = srtp_create(&session, &policy);
	OPENSSL_cleanse(key, sizeof(key));
	if (status != srtp_err_status_ok) {
		g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_KEY, "libsrtp2 refuses %s: its error %d",
			    tl_srtp_profile_name(config->profile), (int)status);
		return NULL;
	}
	return session;
}

static void libsrtp_free(void *state)
{
	srtp_dealloc(state);
}

static int turn(srtp_err_status_t (*function)(srtp_t, void *, int *), void *state, uint8_t *packet, size_t *n_octets)
{
	int n = (int)*n_octets;
	int error = error_of(function(state, packet, &n));

	if (!error)
		*n_octets = (size_t)n;
	return error;
}

static int libsrtp_protect(void *state, uint8_t *packet, size_t *n_octets, size_t clear)
{
	return turn(srtp_protect, state, packet, n_octets);
}

static int libsrtp_unprotect(void *state, uint8_t *packet, size_t *n_octets, size_t clear)
{
	return turn(srtp_unprotect, state, packet, n_octets);
}

static int libsrtp_protect_rtcp(void *state, uint8_t *packet, size_t *n_octets)
{
	return turn(srtp_protect_rtcp, state, packet, n_octets);
}

static int libsrtp_unprotect_rtcp(void *state, uint8_t *packet, size_t *n_octets)
{
	return turn(srtp_unprotect_rtcp, state, packet, n_octets);
}

const struct tl_srtp_backend_ops tl_srtp_libsrtp = {
	.new = libsrtp_new,
	.free = libsrtp_free,
	.protect = libsrtp_protect,
	.unprotect = libsrtp_unprotect,
	.protect_rtcp = libsrtp_protect_rtcp,
	.unprotect_rtcp = libsrtp_unprotect_rtcp,
};
