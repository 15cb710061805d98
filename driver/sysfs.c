// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/bus/pci/devices/ADDRESS/t1e1/: one value a file, all read-only.
 */
#include "board.h"

#include <linux/device.h>
#include <linux/sysfs.h>

static struct tl_span_report report_of(struct device *dev)
{
	struct tl_board *board = dev_get_drvdata(dev);
	struct tl_span_report report;

	tl_span_report(board->span, &report);
	return report;
}

#define REPORT_FILE(name, format, value)				\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	struct tl_span_report report = report_of(dev);			\
									\
	return sysfs_emit(buf, format "\n", value);			\
}									\
static DEVICE_ATTR_RO(name)

#define BOARD_FILE(name, format, value)					\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	const struct tl_board *board = dev_get_drvdata(dev);		\
									\
	return sysfs_emit(buf, format "\n", value);			\
}									\
static DEVICE_ATTR_RO(name)

static ssize_t words(char *buf, unsigned int bits,
		     const char *const *names, unsigned int count)
{
	ssize_t length = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (bits & BIT(i) && names[i])
			length += sysfs_emit_at(buf, length, "%s%s",
						length ? " " : "", names[i]);
	return length + sysfs_emit_at(buf, length, length ? "\n" : "none\n");
}

static ssize_t alarms_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	static const char *const names[] = {
		"red", "blue", "yellow", "recovering", "los", "lfa", "lmfa",
	};

	return words(buf, report_of(dev).alarms, names, ARRAY_SIZE(names));
}
static DEVICE_ATTR_RO(alarms);

static ssize_t defects_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	static const char *const names[] = {
		"los", "ais", "lfa", "lmfa", "rai", "distant-mfa", NULL, NULL,
		"no-crc4", "loop-up", "loop-down",
	};

	return words(buf, report_of(dev).defects, names, ARRAY_SIZE(names));
}
static DEVICE_ATTR_RO(defects);

REPORT_FILE(line, "%s", report.line == TL_LINE_E1 ? "e1" : "t1");
REPORT_FILE(running, "%d", report.running);
REPORT_FILE(rai_sent, "%d", report.rai_sent);
REPORT_FILE(ais_sent, "%d", report.ais_sent);
REPORT_FILE(clock, "%s", report.recovered_clock ? "recovered" : "internal");
REPORT_FILE(realignments, "%llu", report.realignments);
REPORT_FILE(framing_errors, "%llu", report.performance.framing_errors);
REPORT_FILE(code_violations, "%llu", report.performance.code_violations);
REPORT_FILE(crc_errors, "%llu", report.performance.crc_errors);
REPORT_FILE(ebit_errors, "%llu", report.performance.ebit_errors);
REPORT_FILE(slips, "%llu", report.performance.slips);
REPORT_FILE(errored_seconds, "%llu", report.performance.errored_seconds);
REPORT_FILE(severely_errored_seconds, "%llu",
	    report.performance.severely_errored_seconds);

BOARD_FILE(framer_version, "%02x", board->framer.version);
BOARD_FILE(milliseconds, "%u", tl_span_ticks(board->span));
BOARD_FILE(interrupts, "%llu", board->pci.counts.interrupts);
BOARD_FILE(interrupts_missed, "%llu", board->pci.counts.missed);
BOARD_FILE(interrupts_spurious, "%llu", board->pci.counts.spurious);
BOARD_FILE(interrupts_lost, "%llu", board->pci.counts.lost);
BOARD_FILE(status_garbage, "%llu", board->pci.counts.garbage);
BOARD_FILE(status_dead, "%llu", board->pci.counts.dead);
BOARD_FILE(pci_aborts, "%llu", board->pci.counts.aborts);
BOARD_FILE(stalls, "%llu", board->stalls);

static struct attribute *attributes[] = {
	&dev_attr_alarms.attr,
	&dev_attr_defects.attr,
	&dev_attr_line.attr,
	&dev_attr_running.attr,
	&dev_attr_rai_sent.attr,
	&dev_attr_ais_sent.attr,
	&dev_attr_clock.attr,
	&dev_attr_realignments.attr,
	&dev_attr_framing_errors.attr,
	&dev_attr_code_violations.attr,
	&dev_attr_crc_errors.attr,
	&dev_attr_ebit_errors.attr,
	&dev_attr_slips.attr,
	&dev_attr_errored_seconds.attr,
	&dev_attr_severely_errored_seconds.attr,
	&dev_attr_framer_version.attr,
	&dev_attr_milliseconds.attr,
	&dev_attr_interrupts.attr,
	&dev_attr_interrupts_missed.attr,
	&dev_attr_interrupts_spurious.attr,
	&dev_attr_interrupts_lost.attr,
	&dev_attr_status_garbage.attr,
	&dev_attr_status_dead.attr,
	&dev_attr_pci_aborts.attr,
	&dev_attr_stalls.attr,
	NULL
};

static const struct attribute_group group = {
	.name = "t1e1",
	.attrs = attributes,
};

const struct attribute_group *tl_sysfs_groups[] = { &group, NULL };
