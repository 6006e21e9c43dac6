// SPDX-License-Identifier: Apache-2.0
// Elements, made in one expression.

import { PATHS } from './icons.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {{ [name: string]: unknown,
 *   on?: { [type: string]: (event: any) => void } }} Attributes
 */

/**
 * Makes an element. An attribute that is false, null or undefined is left out,
 * true gives an empty one; `on` holds listeners.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function h(name, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    setAttribute(element, key, value);
  }
  for (const [type, listener] of Object.entries(on)) {
    element.addEventListener(type, listener);
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? '' : String(value));
  }
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === 'number' ? String(child) : child);
  }
}

/**
 * Puts these in place of what an element holds.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * A line drawing; what it means stands beside it or in a label.
 * @param {string} name of those in icons.js
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button with an icon and, unless it is only a symbol, its words.
 * @param {string} label what it does
 * @param {object} options
 * @param {() => void} options.click
 * @param {string} [options.icon]
 * @param {string} [options.kind] classes: primary, quiet, danger
 * @param {boolean} [options.symbol] the label is read, not seen
 * @param {Attributes} [options.attributes]
 */
export function button(label, { click, icon: name, kind = '', symbol, attributes }) {
  return h('button', {
    type: 'button',
    class: `button ${kind} ${symbol ? 'symbol' : ''}`.trim(),
    'aria-label': symbol && label,
    title: symbol && label,
    on: { click },
    ...attributes,
  }, name && icon(name), !symbol && h('span', {}, label));
}

/**
 * Does something once before the next frame, however often it is asked for.
 * @param {() => void} action
 */
export function oncePerFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      action();
    });
  };
}
