// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What we use of Preact 8, which Debian packages without types.
declare module "preact" {
  export type Child = VNode | string | number | boolean | null | undefined | Child[];
  export interface VNode { nodeName: unknown; attributes: unknown; children: unknown }
  export function h(node: string | ((props: never) => VNode | null), attributes: object | null, ...children: Child[]): VNode;
  export function render(node: VNode, parent: Element, replace?: Element): Element;
}

declare namespace JSX {
  type Element = import("preact").VNode;
  interface ElementChildrenAttribute { children: object }
  interface IntrinsicAttributes { key?: string }
  interface Attributes {
    [name: string]: unknown;
    key?: string;
    class?: string | undefined;
    ref?: (element: HTMLElement | null) => void;
    onClick?: (event: MouseEvent) => void;
    onSubmit?: (event: Event) => void;
    onChange?: (event: Event) => void;
  }
  interface IntrinsicElements { [name: string]: Attributes }
}
