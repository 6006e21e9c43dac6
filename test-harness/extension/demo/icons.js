// SPDX-License-Identifier: Apache-2.0
// Line drawings on a field of 24 by 24.

/** @type {Record<string, string>} */
export const PATHS = {
  chat: 'M20 5H4v11h4v4l5-4h7z',
  models: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  storage: 'M12 4v10m-4-4l4 4 4-4M4 15v5h16v-5',
  settings: 'M4 7h9m5 0h2M4 17h2m5 0h9M13 7a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0'
    + 'M6 17a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0',
  account: 'M8 8a4 4 0 1 0 8 0 4 4 0 1 0-8 0M4.5 20c1-4 4-6 7.5-6s6.5 2 7.5 6',
  health: 'M3 12h4l3-7 4 14 3-7h4',
  search: 'M4.5 10.5a6 6 0 1 0 12 0 6 6 0 1 0-12 0M15 15l5 5',
  filter: 'M4 6h16M7 12h10M10 18h4',
  chevron: 'M9 6l6 6-6 6',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5l11 7-11 7z',
  close: 'M6 6l12 12M18 6L6 18',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  check: 'M5 12.5l5 5L19 7',
  warning: 'M12 4l9 16H3zM12 10v5M12 17.2v.6',
  send: 'M12 20V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M19 12a7 7 0 1 1-2-5M19 3v5h-5',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  copy: 'M9 9h10v11H9zM5 15V4h10v1',
  chats: 'M4 6h16M4 12h16M4 18h10',
  shield: 'M12 3l7 3v6c0 4-3 7-7 9-4-2-7-5-7-9V6zM9 12l2 2 4-4',
  update: 'M12 20V9m-4 4l4-4 4 4M5 5h14',
  undo: 'M9 7L4 12l5 5M4 12h10a5 5 0 0 1 0 8',
  save: 'M12 4v10m-4-4l4 4 4-4M5 19h14',
  export: 'M12 15V4M8 8l4-4 4 4M4 15v5h16v-5',
  import: 'M12 4v11m-4-4l4 4 4-4M4 15v5h16v-5',
  link: 'M10 6H5v13h13v-5M13 5h6v6M19 5l-9 9',
  spark: 'M12 3v5M12 16v5M3 12h5M16 12h5M6 6l3 3M15 15l3 3M18 6l-3 3M9 15l-3 3',
};
