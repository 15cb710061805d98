// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What an agent does, and what follows from it: the one place where state, desk and phone meet.
import { Connection } from "../desk/connection";
import { signIn, signOut, signedIn } from "../desk/http";
import type { DeskEvent, Past } from "../desk/protocol";
import { mayOpenUnasked, refusedAltogether } from "../rtc/microphone";
import { Phone } from "../rtc/phone";
import { Ring } from "../rtc/ring";
import { apply } from "./apply";
import { isRinging, myCall, mySelf, seesOther, worksInBrowser } from "./select";
import type { PhoneState, State, Trouble } from "./state";
import { Store } from "./state";
import { sentence } from "./words";

const RENEW_AFTER_MS = 1500;

export class Actions {
  private readonly store: Store;
  private readonly connection: Connection;
  private readonly phone: Phone;
  private readonly ring = new Ring();
  private call: string | null = null;
  private renewing = 0;

  constructor(draw: (state: State) => void) {
    this.store = new Store(draw);
    this.connection = new Connection({
      onEvent: event => this.take(event),
      onOpen: () => this.store.set({ online: true }),
      onClose: refused => this.closed(refused),
    });
    this.phone = new Phone({
      servers: async () => {
        const told = await this.connection.request<{ servers: RTCIceServer[]; policy: RTCIceTransportPolicy }>("phone.servers", {});
        return { iceServers: told.servers, iceTransportPolicy: told.policy };
      },
      offer: async sdp => (await this.connection.request<{ sdp: string }>("phone.connect", { sdp })).sdp,
      onPhone: (phone: PhoneState, trouble: Trouble | null) => this.store.set({ phone, trouble }),
      hasVideo: () => this.state.desk?.video === true,
      onSilent: silent => this.store.set({ silent }),
      onPicture: picture => this.store.set({ picture }),
      onCamera: camera => this.store.set({ camera }),
    });
  }

  async start(): Promise<void> {
    this.store.set({ trouble: refusedAltogether() });
    const agent = await signedIn().catch(() => null);
    // Without a session there is nothing to connect for; the sign-in does it.
    if (agent) this.connection.open();
    else this.store.set({ started: true });
  }

  // ---- signing in and out ----

  async signIn(agent: string, password: string): Promise<void> {
    this.store.set({ busy: true, signInError: null });
    try {
      await signIn(agent, password);
      this.connection.reopen();
    } catch (error) {
      this.store.set({ signInError: text(error) });
    }
    this.store.set({ busy: false });
  }

  async signOut(): Promise<void> {
    try {
      await this.connection.request("agent.set", { agent: this.state.me, state: "offline" });
      if (worksInBrowser(this.state)) await this.connection.request("phone.disconnect", {});
    } catch (error) {
      this.store.set({ error: text(error) });
      return;
    }
    this.phone.stop();
    await signOut().catch(() => undefined);
    this.connection.close();
    this.store.set({ me: null, error: null, past: null });
  }

  // ---- the phone ----

  connectPhone(): void { void this.phone.start(); }

  listen(): void { this.phone.listenNow(); }

  // ---- the agent and its call ----

  setState(state: "ready" | "break" | "offline", reason?: string): void {
    void this.ask("agent.set", { agent: this.state.me, state, ...(reason ? { reason } : {}) });
  }

  answer(): void { this.ring.stop(); void this.onCall("call.answer"); }
  hangUp(): void { this.ring.stop(); void this.onCall("call.hangup"); }
  hold(on: boolean): void { void this.onCall("call.hold", { on }); }
  transfer(to: string): void { void this.onCall("call.transfer", { to }, "none"); }
  consult(agent: string): void { void this.onCall("call.consult", { agent }, "none"); }
  complete(): void { void this.onCall("call.complete"); }
  cancel(): void { void this.onCall("call.cancel"); }

  mute(on: boolean): void {
    this.phone.mute(on);
    void this.onCall("call.mute", { on });
  }

  /** The recording is paused, and goes on. */
  record(on: boolean): void { void this.onCall("call.record", { on }); }

  showCamera(on: boolean): void {
    if (on) this.phone.picture.show().catch((error: unknown) => this.store.set({ error: `The camera cannot be used: ${text(error)}` }));
    else this.phone.picture.hide();
  }

  press(digit: string): void {
    this.store.set({ digits: (this.state.digits + digit).slice(-24) });
    void this.onCall("call.dtmf", { digits: digit });
  }

  open(panel: State["panel"]): void { this.store.set({ panel: this.state.panel === panel ? "none" : panel }); }

  forget(): void { this.store.set({ error: null }); }

  private get state(): State { return this.store.state; }

  private onCall(method: string, params: object = {}, panel?: State["panel"]): Promise<void> {
    const call = myCall(this.state);
    return call ? this.ask(method, { call: call.call, ...params }, panel) : Promise.resolve();
  }

  private async ask(method: string, params: object, panel?: State["panel"]): Promise<void> {
    try {
      await this.connection.request(method, params);
      this.store.set({ error: null, ...(panel ? { panel } : {}) });
    } catch (error) {
      this.store.set({ error: text(error) });
    }
  }

  // ---- what comes in ----

  private take(event: DeskEvent): void {
    this.store.set(apply(this.state, event, Date.now()));
    if (event.event === "phone.taken") this.phone.stop("elsewhere");
    if (event.event === "snapshot") void this.greeted();
    if (event.event === "agent.changed" && event.agent.agent === this.state.me) this.checkPhone();
    this.follow();
  }

  /** Connected to the desk, for the first time or again. */
  private async greeted(): Promise<void> {
    if (this.state.me && worksInBrowser(this.state) && this.state.phone === "off" && (await mayOpenUnasked())) this.connectPhone();
    this.checkPhone();
  }

  /** The desk does not hear us although we are connected: its node has begun anew. */
  private checkPhone(): void {
    window.clearTimeout(this.renewing);
    if (this.phone.connected && mySelf(this.state)?.browser_connected === false)
      this.renewing = window.setTimeout(() => {
        if (this.phone.connected && mySelf(this.state)?.browser_connected === false) this.phone.renew();
      }, RENEW_AFTER_MS);
  }

  private closed(refused: boolean): void {
    this.store.set({ online: false, started: true });
    if (!refused && this.state.me) return;
    this.phone.stop();
    this.store.set({ me: null });
  }

  /** Rings, and begins or ends a call's own things. */
  private follow(): void {
    const call = myCall(this.state), me = mySelf(this.state);
    if (isRinging(this.state) && !me?.auto_answer && this.state.phone === "connected") this.ring.start();
    else this.ring.stop();
    if (me?.state === "ringing" && me.auto_answer && call && this.call !== call.call) this.ring.beep();
    if (call?.muted === undefined && this.state.phone !== "refused") this.phone.mute(false);
    if (!seesOther(this.state)) this.phone.picture.hide();
    if ((call?.call ?? null) === this.call) return;
    this.call = call?.call ?? null;
    this.store.set({ panel: "none", digits: "", past: null, error: null });
    if (call) void this.loadPast(call.call);
  }

  private async loadPast(call: string): Promise<void> {
    const { calls } = await this.connection.request<{ calls: Past[] }>("call.history", { call, max: 8 }).catch(() => ({ calls: [] }));
    if (this.call === call) this.store.set({ past: { call, calls } });
  }
}

function text(error: unknown): string {
  return sentence(error instanceof Error ? error.message : String(error));
}
