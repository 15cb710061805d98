// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a call of a kernel function fail: while this module is loaded, the
 * nth call of symbol from the module caller does nothing and returns value.
 * For kernels without fault injection of their own; x86 only.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *symbol;
module_param(symbol, charp, 0400);
MODULE_PARM_DESC(symbol, "the function whose call fails");

static char *caller;
module_param(caller, charp, 0400);
MODULE_PARM_DESC(caller, "the module that calls it");

static unsigned int nth = 1;
module_param(nth, uint, 0400);
MODULE_PARM_DESC(nth, "which of its calls fails (default 1, the first)");

static long value;
module_param(value, long, 0400);
MODULE_PARM_DESC(value, "what that call returns (default 0, or NULL)");

static unsigned int calls;
module_param(calls, uint, 0400);
MODULE_PARM_DESC(calls, "how many calls there were");

static char wanted[MODULE_NAME_LEN + 2];

/* What the failing call jumps to: back to where it came from. */
static noinline notrace void just_return(void)
{
	barrier();
}

static int on_call(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long from = *(unsigned long *)kernel_stack_pointer(regs);
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, from);
	if (!strstr(name, wanted) || ++calls != nth)
		return 0;
	regs->ax = value;
	regs->ip = (unsigned long)just_return;
	return 1;
}

/* Its being there is what lets on_call() change where the CPU goes. */
static void after_call(struct kprobe *probe, struct pt_regs *regs,
		       unsigned long flags)
{
}

static struct kprobe probe = { .pre_handler = on_call, .post_handler = after_call };

static int __init start(void)
{
	if (!symbol || !caller)
		return -EINVAL;
	snprintf(wanted, sizeof(wanted), "[%s]", caller);
	probe.symbol_name = symbol;
	return register_kprobe(&probe);
}

static void __exit stop(void)
{
	unregister_kprobe(&probe);
}

module_init(start);
module_exit(stop);

MODULE_DESCRIPTION("Makes a call of a kernel function fail");
MODULE_LICENSE("GPL");
