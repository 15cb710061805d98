// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The keyboard: Alt and a letter for what an agent does all day. A button that is not there does nothing.

export function listenToKeys(root: Document): void {
  root.addEventListener("keydown", event => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const keys = `Alt+${event.code.replace(/^Key/, "")}`;
    const button = root.querySelector<HTMLButtonElement>(`button[aria-keyshortcuts="${keys}"]:not(:disabled)`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
}
