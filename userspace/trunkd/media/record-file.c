/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/record-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/g711.h"
#include "media/wav.h"

#define BUFFER_OCTETS 16384

struct tl_record_file {
	int fd;
	enum tl_record_format format;
	enum tl_wav_format wav;
	enum tl_law law;
	struct tl_record_ogg *ogg; /* TL_RECORD_OPUS */
	uint64_t data_octets;      /* of WAV: after the header, with what is in the buffer */
	size_t n;
	uint8_t buffer[BUFFER_OCTETS];
};

bool tl_record_format_parse(const char *name, enum tl_record_format *format)
{
	static const char *const names[] = { [TL_RECORD_WAV] = "wav", [TL_RECORD_WAV16] = "wav16", [TL_RECORD_OPUS] = "opus" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i], name)) {
			*format = i;
			return true;
		}
	return false;
}

const char *tl_record_file(enum tl_record_format format)
{
	return format == TL_RECORD_OPUS ? "audio.opus" : "audio.wav";
}

/* ---- octets ---- */

static int flush(struct tl_record_file *file)
{
	for (size_t done = 0; done < file->n;) {
		ssize_t written = write(file->fd, file->buffer + done, file->n - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		done += written;
	}
	file->n = 0;
	return 0;
}

static int put(void *user, const void *octets, size_t n)
{
	struct tl_record_file *file = user;
	int result = file->n + n > BUFFER_OCTETS ? flush(file) : 0;
	if (!result && n > BUFFER_OCTETS)
		return -EMSGSIZE;
	if (!result) {
		memcpy(file->buffer + file->n, octets, n);
		file->n += n;
	}
	return result;
}

static int sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 || fsync(fd) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return result;
}

/* ---- life ---- */

static int begin(struct tl_record_file *file)
{
	uint8_t header[TL_WAV_HEADER_OCTETS];
	int result = 0;
	if (file->format == TL_RECORD_OPUS) {
		file->ogg = tl_record_ogg_new(put, file, &result);
		return result;
	}
	tl_wav_format(file->wav, 2, 0, header);
	return put(file, header, sizeof header);
}

struct tl_record_file *tl_record_file_new(const char *path, enum tl_record_format format, enum tl_law law, int *result)
{
	struct tl_record_file *file = g_new0(struct tl_record_file, 1);
	file->format = format;
	file->law = law;
	file->wav = format == TL_RECORD_WAV16 ? TL_WAV_LINEAR : law == TL_LAW_ALAW ? TL_WAV_ALAW : TL_WAV_ULAW;
	file->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	*result = file->fd < 0 ? -errno : begin(file);
	if (!*result)
		*result = flush(file);
	if (!*result && fsync(file->fd))
		*result = -errno;
	if (!*result)
		*result = sync_folder(path);
	if (!*result)
		return file;
	tl_record_ogg_free(file->ogg);
	if (file->fd >= 0)
		close(file->fd);
	g_free(file);
	return NULL;
}

static int write_octets(struct tl_record_file *file, enum tl_law left_law, const uint8_t *left, enum tl_law right_law,
			const uint8_t *right)
{
	uint8_t own[2][TL_RECORD_FRAMES], both[2 * TL_RECORD_FRAMES];
	tl_g711_convert(left_law, file->law, left, own[0], TL_RECORD_FRAMES);
	tl_g711_convert(right_law, file->law, right, own[1], TL_RECORD_FRAMES);
	for (unsigned i = 0; i < TL_RECORD_FRAMES; i++) {
		both[2 * i] = own[0][i];
		both[2 * i + 1] = own[1][i];
	}
	file->data_octets += sizeof both;
	return put(file, both, sizeof both);
}

static int write_linear(struct tl_record_file *file, const int16_t *both)
{
	uint8_t octets[4 * TL_RECORD_FRAMES];
	for (unsigned i = 0; i < 2 * TL_RECORD_FRAMES; i++) {
		octets[2 * i] = both[i];
		octets[2 * i + 1] = (uint16_t)both[i] >> 8;
	}
	file->data_octets += sizeof octets;
	return put(file, octets, sizeof octets);
}

int tl_record_file_write(struct tl_record_file *file, enum tl_law left_law, const uint8_t *left, enum tl_law right_law,
			 const uint8_t *right)
{
	int16_t own[2][TL_RECORD_FRAMES], both[2 * TL_RECORD_FRAMES];
	if (file->format == TL_RECORD_WAV)
		return write_octets(file, left_law, left, right_law, right);
	tl_g711_decode(left_law, left, own[0], TL_RECORD_FRAMES);
	tl_g711_decode(right_law, right, own[1], TL_RECORD_FRAMES);
	for (unsigned i = 0; i < TL_RECORD_FRAMES; i++) {
		both[2 * i] = own[0][i];
		both[2 * i + 1] = own[1][i];
	}
	return file->ogg ? tl_record_ogg_write(file->ogg, both) : write_linear(file, both);
}

/* The header's sizes are those of whole frames that are in the file. */
static int write_sizes(int fd, enum tl_wav_format wav, uint64_t data_octets)
{
	uint8_t header[TL_WAV_HEADER_OCTETS];
	tl_wav_format(wav, 2, MIN(data_octets, UINT32_MAX - TL_WAV_HEADER_OCTETS), header);
	return pwrite(fd, header, sizeof header, 0) == sizeof header ? 0 : -errno;
}

int tl_record_file_settle(struct tl_record_file *file)
{
	int result = file->ogg ? tl_record_ogg_flush(file->ogg, false) : 0;
	if (!result)
		result = flush(file);
	return result || file->ogg ? result : write_sizes(file->fd, file->wav, file->data_octets);
}

int tl_record_file_fd(const struct tl_record_file *file)
{
	return file->fd;
}

int tl_record_file_close(struct tl_record_file *file)
{
	if (!file)
		return 0;
	int result = file->ogg ? tl_record_ogg_flush(file->ogg, true) : 0;
	if (!result)
		result = tl_record_file_settle(file);
	tl_record_ogg_free(file->ogg);
	if (close(file->fd) && !result)
		result = -errno;
	g_free(file);
	return result;
}

/* ---- after a death ---- */

static uint64_t salvage_wav(int fd, uint64_t size)
{
	uint8_t header[TL_WAV_HEADER_OCTETS];
	if (pread(fd, header, sizeof header, 0) != sizeof header || memcmp(header, "RIFF", 4))
		return 0;
	enum tl_wav_format wav = header[20];
	if (wav != TL_WAV_LINEAR && wav != TL_WAV_ALAW && wav != TL_WAV_ULAW)
		return 0;
	uint64_t data = size - sizeof header, frame = wav == TL_WAV_LINEAR ? 4 : 2;
	data -= data % frame;
	return data && !write_sizes(fd, wav, data) ? sizeof header + data : 0;
}

uint64_t tl_record_salvage(int fd, const char *part)
{
	struct stat info;
	if (fstat(fd, &info) || info.st_size <= TL_WAV_HEADER_OCTETS)
		return 0;
	if (!strcmp(part, tl_record_file(TL_RECORD_OPUS)))
		return tl_record_ogg_salvage(fd);
	return strcmp(part, tl_record_file(TL_RECORD_WAV)) ? 0 : salvage_wav(fd, info.st_size);
}
