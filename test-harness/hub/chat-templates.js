// SPDX-License-Identifier: Apache-2.0
// Chat templates (Jinja text) in a few styles and lengths. They are what makes
// `config=true` pages big, so their sizes matter more than their words.

/** @typedef {import('./random.js').Random} Random */

const CHATML = '{% for message in messages %}'
  + '{{ \'<|im_start|>\' + message[\'role\'] + \'\\n\' + message[\'content\'] '
  + '+ \'<|im_end|>\' + \'\\n\' }}{% endfor %}'
  + '{% if add_generation_prompt %}{{ \'<|im_start|>assistant\\n\' }}{% endif %}';

const INSTRUCT = '{{ bos_token }}{% for message in messages %}'
  + '{% if message["role"] == "user" %}{{ "[INST] " + message["content"] '
  + '+ " [/INST]" }}{% elif message["role"] == "assistant" %}'
  + '{{ message["content"] + eos_token }}{% else %}'
  + '{{ raise_exception("Only user and assistant roles are supported!") }}'
  + '{% endif %}{% endfor %}';

const TOOL_BLOCK = '{%- if tools %}\n    {{- "<|im_start|>system\\n" }}\n'
  + '    {{- "# Tools\\n\\nFunctions you may call are listed as JSON within '
  + '<tools></tools>:\\n<tools>" }}\n    {%- for tool in tools %}\n'
  + '        {{- "\\n" }}\n        {{- tool | tojson }}\n    {%- endfor %}\n'
  + '    {{- "\\n</tools>\\nAnswer with {\\"name\\": …, \\"arguments\\": …} '
  + 'within <tool_call></tool_call>.<|im_end|>\\n" }}\n{%- endif %}\n';

const STYLES = [CHATML, INSTRUCT, TOOL_BLOCK + CHATML];

/** Real templates are between these lengths. */
const MIN_LENGTH = 1_000;
const MAX_LENGTH = 10_000;

/**
 * One of a small number of distinct templates, as many repositories share one.
 * @param {Random} random
 */
export function chatTemplate(random) {
  const style = random.pick(STYLES);
  const steps = random.below(random.chance(0.3) ? 10 : 4);
  const length = MIN_LENGTH + steps * ((MAX_LENGTH - MIN_LENGTH) / 10);
  const missing = Math.max(0, length - style.length);
  const comment = `{#- ${'Renders one turn after the other. '.repeat(
    Math.ceil(missing / 34))}`.slice(0, missing);
  return missing > 6 ? `${comment}-#}${style}` : style;
}
