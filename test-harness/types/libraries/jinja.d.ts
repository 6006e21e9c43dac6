// SPDX-License-Identifier: Apache-2.0
// What is used of the package. Its own declarations do not compile under
// node16: they import each other without file extensions.

export class Template {
  constructor(source: string);
  render(items?: Record<string, unknown>): string;
}
