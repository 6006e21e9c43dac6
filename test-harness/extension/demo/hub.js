// SPDX-License-Identifier: Apache-2.0
// Where the Hub is. A build with --hub puts another address here.

export const HUB_URL = 'https://huggingface.co';
