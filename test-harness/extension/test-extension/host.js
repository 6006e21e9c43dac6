// SPDX-License-Identifier: Apache-2.0
import 'tabagent-wasm/host';
