// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The WebSocket to the desk: events in, requests out. It comes back by itself.
import type { DeskEvent } from "./protocol";

const RETRY_MS = [200, 500, 1000, 2000];
const ANSWER_MS = 15000;

export interface Listener {
  onEvent(event: DeskEvent): void;
  onOpen(): void;
  /** @refused: the desk does not know who we are. */
  onClose(refused: boolean): void;
}

interface Waiting { resolve(result: unknown): void; reject(error: Error): void; timer: number }

export class Connection {
  private socket: WebSocket | null = null;
  private tries = 0;
  private lastId = 0;
  private waiting = new Map<number, Waiting>();
  private wanted = false;

  constructor(private readonly listener: Listener) {}

  open(): void {
    this.wanted = true;
    if (!this.socket) this.connect();
  }

  close(): void {
    this.wanted = false;
    this.socket?.close();
  }

  /** The cookie has changed: another agent, or none. */
  reopen(): void {
    this.tries = 0;
    if (this.socket) this.socket.close();
    else this.open();
  }

  request<T = object>(method: string, params: object): Promise<T> {
    const id = ++this.lastId;
    return new Promise<T>((resolve, reject) => {
      if (this.socket?.readyState !== WebSocket.OPEN) {
        reject(new Error("The desk cannot be reached just now."));
        return;
      }
      const timer = window.setTimeout(() => this.settle(id, waiting => waiting.reject(new Error("The desk does not answer."))), ANSWER_MS);
      this.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, timer });
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  private connect(): void {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/events`);
    this.socket = socket;
    socket.onopen = () => { this.tries = 0; this.listener.onOpen(); };
    socket.onmessage = message => this.take(String(message.data));
    socket.onclose = event => {
      this.socket = null;
      for (const id of [...this.waiting.keys()])
        this.settle(id, waiting => waiting.reject(new Error("The connection to the desk was lost.")));
      const refused = event.code === 1008;
      this.listener.onClose(refused);
      if (this.wanted && !refused) window.setTimeout(() => { if (this.wanted && !this.socket) this.connect(); }, this.pause());
    };
  }

  private pause(): number {
    return RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)] ?? 2000;
  }

  private settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    window.clearTimeout(waiting.timer);
    how(waiting);
  }

  private take(text: string): void {
    const message = JSON.parse(text) as { id?: number; result?: unknown; error?: { message: string }; event?: string };
    if (message.event !== undefined) this.listener.onEvent(message as unknown as DeskEvent);
    else if (message.id !== undefined && message.error) {
      const why = message.error.message;
      this.settle(message.id, waiting => waiting.reject(new Error(why)));
    } else if (message.id !== undefined) this.settle(message.id, waiting => waiting.resolve(message.result));
  }
}
