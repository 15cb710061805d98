// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// Signing in and out: the only things that go over HTTP.

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const result = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  if (!answer.ok) throw new Error(String(result["error"] ?? answer.statusText));
  return result;
}

export async function signedIn(): Promise<string | null> {
  const session = (await (await fetch("/api/session")).json()) as { agent: string | null };
  return session.agent;
}

export async function signIn(agent: string, password: string): Promise<void> {
  await post("/api/login", { agent, password });
}

export async function signOut(): Promise<void> {
  await post("/api/logout", {});
}
