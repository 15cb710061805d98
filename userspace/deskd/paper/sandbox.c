/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A process that may compute and read, and nothing else: seccomp and resource limits. */
#include "paper/work.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define CPU_GRACE_S 5
#define DENIED SCMP_ACT_ERRNO(EPERM)

static bool limit(int what, rlim_t value, GError **error)
{
	/* Beyond its seconds of a processor it is told so (SIGXCPU), as a SIGKILL may be anybody's. */
	struct rlimit wanted = { value, what == RLIMIT_CPU ? value + CPU_GRACE_S : value };
	if (!value || setrlimit(what, &wanted) == 0)
		return true;
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "setrlimit: %s", g_strerror(errno));
	return false;
}

static bool set_limits(const struct tl_sandbox_limits *limits, GError **error)
{
#ifdef __SANITIZE_ADDRESS__
	rlim_t memory = 0; /* its shadow is larger than any limit */
#else
	rlim_t memory = (rlim_t)limits->memory_mib << 20;
#endif
	struct rlimit no_core = { 0, 0 };
	setrlimit(RLIMIT_CORE, &no_core);
	return limit(RLIMIT_AS, memory, error) && limit(RLIMIT_CPU, limits->cpu_s, error) &&
	       limit(RLIMIT_FSIZE, (rlim_t)limits->file_mib << 20, error) &&
	       limit(RLIMIT_NOFILE, limits->may_run_programs ? 1024 : 64, error);
}

static int deny_all(scmp_filter_ctx filter, const int *calls, unsigned n)
{
	int rc = 0;
	for (unsigned i = 0; i < n; i++)
		rc |= seccomp_rule_add(filter, DENIED, calls[i], 0);
	return rc;
}

/* Never: others' processes, the system, namespaces, kernel interfaces that are often broken into. */
static int deny_system(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2),
		SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(keyctl), SCMP_SYS(add_key),
		SCMP_SYS(request_key), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
		SCMP_SYS(open_by_handle_at), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
		SCMP_SYS(kexec_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
		SCMP_SYS(sethostname), SCMP_SYS(personality), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(quotactl),
		SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setgroups),
	};
	return deny_all(filter, calls, G_N_ELEMENTS(calls));
}

/* No file is made, changed or removed: what is written was opened before. */
static int deny_files(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(creat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
		SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
		SCMP_SYS(rmdir), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown),
		SCMP_SYS(fchownat), SCMP_SYS(lchown), SCMP_SYS(truncate), SCMP_SYS(setxattr), SCMP_SYS(utimensat),
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(tkill),
		SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	};
	static const unsigned writing[] = { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC };
	int rc = deny_all(filter, calls, G_N_ELEMENTS(calls));
	for (unsigned i = 0; i < G_N_ELEMENTS(writing); i++) {
		rc |= seccomp_rule_add(filter, DENIED, SCMP_SYS(open), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, writing[i], writing[i]));
		rc |= seccomp_rule_add(filter, DENIED, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, writing[i], writing[i]));
	}
	/* Their flags are in memory: the C library falls back to the ones above. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);
	rc |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Threads yes, processes no. */
	rc |= seccomp_rule_add(filter, DENIED, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	return rc;
}

/* Programs of an office suite talk to each other by local sockets; nothing goes to a network. */
static int deny_network(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, DENIED, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, 1 /* AF_UNIX */));
}

static bool load_filter(bool may_run_programs, GError **error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? deny_system(filter) : -ENOMEM;
	if (!rc)
		rc = may_run_programs ? deny_network(filter) : deny_files(filter);
	if (!rc)
		rc = seccomp_load(filter); /* sets no_new_privs, too */
	if (filter)
		seccomp_release(filter);
	if (!rc)
		return true;
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "seccomp: %s", g_strerror(rc < 0 ? -rc : EINVAL));
	return false;
}

bool tl_sandbox_enter(const struct tl_sandbox_limits *limits, GError **error)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	return set_limits(limits, error) && load_filter(limits->may_run_programs, error);
}
