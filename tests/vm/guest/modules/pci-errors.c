// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells a PCI device's driver of an error, as the PCI core does where hardware
 * reports them. Write "ADDRESS STEP" to the parameter tell, one step a time:
 *
 *   normal    error_detected: accesses still work
 *   frozen    error_detected: they do not
 *   failure   error_detected: they never will again
 *   reset     slot_reset
 *   resume    resume
 *
 * Reading it gives the driver's last answer: none, can-recover, need-reset,
 * disconnect or recovered.
 */
#include <linux/module.h>
#include <linux/pci.h>

static const char *answer = "none";

static const char *name_of(pci_ers_result_t result)
{
	switch (result) {
	case PCI_ERS_RESULT_CAN_RECOVER:
		return "can-recover";
	case PCI_ERS_RESULT_NEED_RESET:
		return "need-reset";
	case PCI_ERS_RESULT_DISCONNECT:
		return "disconnect";
	case PCI_ERS_RESULT_RECOVERED:
		return "recovered";
	default:
		return "none";
	}
}

static int detect(struct pci_dev *pdev, const struct pci_error_handlers *handlers,
		  pci_channel_state_t state)
{
	pdev->error_state = state;
	answer = name_of(handlers->error_detected(pdev, state));
	return 0;
}

/* The device is locked, as the PCI core has it. */
static int take_step(struct pci_dev *pdev, const struct pci_error_handlers *handlers,
		     const char *step)
{
	if (!strcmp(step, "normal"))
		return detect(pdev, handlers, pci_channel_io_normal);
	if (!strcmp(step, "frozen"))
		return detect(pdev, handlers, pci_channel_io_frozen);
	if (!strcmp(step, "failure"))
		return detect(pdev, handlers, pci_channel_io_perm_failure);
	pdev->error_state = pci_channel_io_normal;
	if (!strcmp(step, "reset"))
		answer = name_of(handlers->slot_reset(pdev));
	else if (!strcmp(step, "resume"))
		handlers->resume(pdev);
	else
		return -EINVAL;
	return 0;
}

static int tell(const char *text, const struct kernel_param *param)
{
	unsigned int domain, bus, slot, function;
	struct pci_dev *pdev;
	char step[16];
	int err = -ENXIO;

	if (sscanf(text, "%x:%x:%x.%x %15s", &domain, &bus, &slot, &function, step) != 5)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;
	device_lock(&pdev->dev);
	if (pdev->driver && pdev->driver->err_handler)
		err = take_step(pdev, pdev->driver->err_handler, step);
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return err;
}

static int show_answer(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\n", answer);
}

static const struct kernel_param_ops ops = { .set = tell, .get = show_answer };
module_param_cb(tell, &ops, NULL, 0600);
MODULE_PARM_DESC(tell, "ADDRESS normal|frozen|failure|reset|resume");

MODULE_DESCRIPTION("Tells drivers of PCI errors that did not happen");
MODULE_LICENSE("GPL");
