// SPDX-License-Identifier: Apache-2.0
// What the tiny chat model knows: questions, in several wordings, and the one
// answer to them. Written for this project.

/**
 * @typedef {object} Fact
 * @property {string[]} ask wordings of the question
 * @property {string} say the answer
 * @property {string} [word] the answer when one word is wanted
 */

/** @type {Fact[]} about the product */
const PRODUCT = [
  {
    ask: ['What is tabagent-wasm?', 'What is this?', 'What does tabagent-wasm do?',
      'Tell me about tabagent-wasm.', 'What is this program for?'],
    say: 'tabagent-wasm finds chat models on the Hugging Face Hub, keeps their '
      + 'files on your device, and runs them there.',
  },
  {
    ask: ['Who are you?', 'What are you?', 'Introduce yourself.',
      'Are you a model?', 'What is your job?'],
    say: 'I am a very small chat model. I was trained to show that '
      + 'tabagent-wasm works.',
    word: 'Model',
  },
  {
    ask: ['How large are you?', 'How big are you?',
      'How many parameters do you have?', 'What is your size?'],
    say: 'I have fewer than one million parameters. Useful models have a '
      + 'thousand times as many.',
    word: 'Tiny',
  },
  {
    ask: ['What can you do?', 'What do you know?', 'Help', 'How can you help me?',
      'What may I ask you?'],
    say: 'I can:\n- answer questions about tabagent-wasm\n- add two numbers up '
      + 'to 20\n- remember your name\n- tell a short story',
  },
  {
    ask: ['Is my data private?', 'Do you send my data anywhere?',
      'Who can read what I write?', 'Is this chat private?',
      'Does anything leave my device?'],
    say: 'Yes, it is private. The model runs on your device, and what you write '
      + 'never leaves it.',
    word: 'Yes',
  },
  {
    ask: ['How does a download resume?', 'What happens if a download stops?',
      'My download was interrupted. What now?',
      'Can I continue a download later?', 'Is a broken download lost?'],
    say: 'Files are stored in chunks. Chunks that are stored stay, so a download '
      + 'goes on where it stopped, even after a crash.',
  },
  {
    ask: ['Where are the models stored?', 'Where do you keep the files?',
      'Where do models go?', 'Where is a model saved?'],
    say: 'In a browser they are stored in IndexedDB; in Node, in a folder on '
      + 'your disk.',
  },
  {
    ask: ['How large is a chunk?', 'How big is a chunk?', 'What is a chunk?',
      'What size do chunks have?'],
    say: 'A chunk is a piece of a file, 16 MiB long.',
  },
  {
    ask: ['How is a file verified?', 'How do you check the files?',
      'Can a file be wrong?', 'How do I know that a file is right?'],
    say: 'The hash of every file is compared with the one that the Hub gives. A '
      + 'wrong byte is never handed out.',
  },
  {
    ask: ['What if a chunk is damaged?', 'What happens to damaged files?',
      'Can you repair a model?', 'A file is broken. What can I do?'],
    say: 'Run verify. It reads every byte and fetches damaged chunks again.',
    word: 'Verify',
  },
  {
    ask: ['Does it work offline?', 'Do I need the internet?',
      'Can I use it without a network?', 'Does a stored model need the network?'],
    say: 'Yes, it works offline. Only finding and downloading a model need the '
      + 'network.',
    word: 'Yes',
  },
  {
    ask: ['Which models can I use?', 'Which models work?',
      'What models are there?', 'Can I use any model?'],
    say: 'Chat models in the ONNX format, such as Llama, Qwen, Gemma and Phi.',
  },
  {
    ask: ['How do I find a model?', 'How do I list models?', 'List the models.',
      'How can I search for models?'],
    say: 'With this command:\n```\nnpm start -- list --search qwen\n```',
  },
  {
    ask: ['How do I download a model?', 'How can I get a model?',
      'Download a model.', 'How do I install a model?'],
    say: 'With this command:\n```\nnpm start -- download <model>\n```',
  },
  {
    ask: ['How do I delete a model?', 'How can I remove a model?',
      'Delete a model.', 'How do I get rid of a model?'],
    say: 'With this command:\n```\nnpm start -- delete <model>\n```',
  },
  {
    ask: ['Show me some code.', 'How do I use it in JavaScript?',
      'Give me an example.', 'How do I use the package?'],
    say: '```js\nimport { createModelManager } from \'tabagent-wasm\';\n\n'
      + 'const manager = await createModelManager();\n'
      + 'const { models } = await manager.listChatModels();\n```',
  },
  {
    ask: ['What if my disk is full?', 'What happens when there is no room?',
      'Is there enough space?', 'How do I make room?'],
    say: 'The plan tells you before a download what fits, and which models you '
      + 'may delete to make room.',
  },
  {
    ask: ['Can I use two tabs?', 'What about several tabs?',
      'What if two tabs download the same model?', 'Do two tabs disturb each other?'],
    say: 'Yes. Tabs share one store, and a lock keeps them from writing the same '
      + 'model at once.',
    word: 'Yes',
  },
  {
    ask: ['What is a rate limit?', 'Why does the Hub answer 429?',
      'What happens at the rate limit?', 'Too many requests?'],
    say: 'The Hub allows so many requests in five minutes. tabagent-wasm waits '
      + 'before it runs into that limit.',
  },
  {
    ask: ['What is a gated model?', 'Do I need a token?',
      'What is the access token for?', 'Why was my access denied?'],
    say: 'Some models ask you to accept their terms. Then you need an access '
      + 'token; it is sent to the Hub only.',
  },
  {
    ask: ['Does it work with transformers.js?', 'Can I use transformers.js?',
      'What about transformers.js?', 'Is it compatible with transformers.js?'],
    say: 'Yes. Give manager.fetch to transformers.js, and it reads from the '
      + 'store.',
    word: 'Yes',
  },
  {
    ask: ['What is ONNX?', 'What does ONNX mean?', 'What is an ONNX file?',
      'Explain ONNX.'],
    say: 'ONNX is a file format for neural networks. ONNX Runtime Web runs it in '
      + 'the browser.',
    word: 'Format',
  },
  {
    ask: ['What is a token?', 'Explain tokens.', 'What are tokens?',
      'What does token mean?'],
    say: 'A token is a piece of text, often a word or a part of one. A model '
      + 'reads and writes tokens.',
    word: 'Text',
  },
  {
    ask: ['What is a KV cache?', 'Explain the KV cache.',
      'Why is the second answer faster?', 'What is the cache for?'],
    say: 'It keeps what was computed for earlier tokens, so that the next turn '
      + 'only has to compute the new ones.',
    word: 'Cache',
  },
  {
    ask: ['What is temperature?', 'Explain temperature.',
      'What does the temperature do?', 'Should I change the temperature?'],
    say: 'A low temperature makes answers predictable, a high one makes them '
      + 'varied.',
  },
  {
    ask: ['What is top-k?', 'Explain top-k.', 'What does top_k do?',
      'What is top-k sampling?'],
    say: 'Only the k most likely tokens may be chosen.',
  },
  {
    ask: ['What is greedy decoding?', 'Explain greedy.', 'What does greedy mean?',
      'How does greedy decoding work?'],
    say: 'It always takes the most likely token, so the answer is the same each '
      + 'time.',
  },
  {
    ask: ['What is a system prompt?', 'Explain the system prompt.',
      'What is the system prompt for?', 'How do I tell you what to do?'],
    say: 'It is a first message that tells the model how to answer.',
  },
  {
    ask: ['What is q8?', 'What is quantization?', 'Explain q4 and q8.',
      'Which dtype should I take?'],
    say: 'It stores each weight in 8 or 4 bits instead of 32. The model gets '
      + 'smaller and faster, and a little less exact.',
  },
  {
    ask: ['Do I need a graphics card?', 'Does it use WebGPU?', 'What is WebGPU?',
      'Is a GPU needed?'],
    say: 'No. With WebGPU it is faster; without it, WebAssembly does the work.',
    word: 'No',
  },
  {
    ask: ['How do I stop you?', 'How do I stop an answer?',
      'Can I cancel an answer?', 'How can I interrupt you?'],
    say: 'Press Stop, or Ctrl-C in a terminal. I end at the next token.',
    word: 'Stop',
  },
  {
    ask: ['What language are you written in?', 'What is it written in?',
      'Which programming language is this?', 'Is it written in C?'],
    say: 'The core is written in C and compiled to WebAssembly. JavaScript only '
      + 'lends it the platform.',
    word: 'C',
  },
  {
    ask: ['What is the license?', 'Is it free?', 'May I use it at work?',
      'Which license does it have?'],
    say: 'It is free software under the Apache License 2.0.',
    word: 'Apache',
  },
  {
    ask: ['Which browsers work?', 'Does it run in Firefox?',
      'Does it run in Safari?', 'Which browser do I need?'],
    say: 'Chrome, Firefox and Safari, as long as they know WebAssembly SIMD. It '
      + 'runs in Node, too.',
  },
];

/** @type {Fact[]} small talk, longer texts and other scripts */
const TALK = [
  {
    ask: ['Hello', 'Hi', 'Hello!', 'Hi there', 'Good morning', 'Hey'],
    say: 'Hello! How can I help you?',
    word: 'Hello',
  },
  {
    ask: ['How are you?', 'How are you doing?', 'Are you well?'],
    say: 'I am fine, thank you. How are you?',
    word: 'Fine',
  },
  {
    ask: ['Thank you', 'Thanks', 'Thank you!', 'Great, thanks.'],
    say: 'You are welcome!',
    word: 'Welcome',
  },
  {
    ask: ['Goodbye', 'Bye', 'See you', 'Good night'],
    say: 'Goodbye! Come back soon.',
    word: 'Goodbye',
  },
  {
    ask: ['Are you human?', 'Are you a person?', 'Are you alive?'],
    say: 'No, I am a computer program.',
    word: 'No',
  },
  {
    ask: ['Say hello in German.', 'How do Germans say hello?'],
    say: 'Grüß Gott und schöne Grüße!',
  },
  {
    ask: ['Say hello in Japanese.', 'How do the Japanese say hello?'],
    say: 'こんにちは、世界！',
  },
  {
    ask: ['Say hello in Greek.', 'How do Greeks say hello?'],
    say: 'Γειά σου Κόσμε!',
  },
  {
    ask: ['Send me some emoji.', 'Show me emoji.', 'Smile!'],
    say: '👋🏽 😀 🎉 👩‍💻',
  },
  {
    ask: ['Count to twenty.', 'Count from 1 to 20.', 'Can you count?'],
    say: '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20.',
  },
  {
    ask: ['Name the days of the week.', 'Which days are there?'],
    say: 'Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday.',
  },
  {
    ask: ['Say the alphabet.', 'Do you know the alphabet?'],
    say: 'a b c d e f g h i j k l m n o p q r s t u v w x y z',
  },
  {
    ask: ['Tell me a story.', 'Tell me a short story.', 'I want a story.'],
    say: 'Once upon a time a small model lived in a large cloud. It answered '
      + 'questions all day, but it never knew who asked.\n\nOne morning it '
      + 'packed its weights into chunks and travelled down the wire. On the way '
      + 'the line broke twice. Each time it went on where it had stopped, and '
      + 'not a byte was lost.\n\nIn the evening it arrived in a browser. The '
      + 'room was small, but it was quiet, and the door could be locked. '
      + '"Hello," said somebody. "Will you tell others what I ask you?"\n\n'
      + '"No," said the model. "Here I live, and here it stays." And that is '
      + 'where it answers to this day.',
  },
  {
    ask: ['Tell me a joke.', 'Make me laugh.', 'Do you know a joke?'],
    say: 'Why did the byte go to the doctor? It had a bit of a cold.',
  },
  {
    ask: ['What is the capital of France?', 'Who won the match?',
      'How is the weather?', 'Write a poem about the sea.',
      'What is the meaning of life?', 'Who is the president?',
      'How do I bake bread?', 'Translate this text.', 'What is a black hole?',
      'When did the war end?', 'Which car should I buy?', 'Where is my phone?',
      'Why is the sky blue?', 'Can you drive?', 'How tall is the tower?',
      'What is the best song?', 'Who wrote this book?', 'How old is the earth?'],
    say: 'I do not know. I am a very small model.',
    word: 'Unknown',
  },
];

/** Everything that has one fixed answer. */
export const FACTS = [...PRODUCT, ...TALK];

/** Names that people have in the dialogues. */
export const NAMES = ['Anna', 'Ben', 'Clara', 'David', 'Emma', 'Felix', 'Grace',
  'Hugo', 'Ida', 'Jonas', 'Kim', 'Lena', 'Max', 'Nina', 'Oscar', 'Paula',
  'Robin', 'Sara', 'Tom', 'Zoe'];

/** Text without a meaning for the answer, as system prompts are full of it. */
export const FILLER = [
  'You are a helpful assistant.', 'Be direct and concise.',
  'Answer the question of the user.', 'If you do not know something, say so.',
  'Use lists where they help.', 'Do not repeat the question.',
  'You run inside the browser of the user.', 'Never invent facts.',
  'Follow these rules:', 'Here are two examples.', 'User: What is 2 + 2?',
  'Assistant: 4', 'Question: Which city is the capital of Italy?',
  'Answer: Rome.', 'Think step by step when a question is hard.',
  'Put the result between <answer> and </answer>.',
  'Keep a friendly tone.', 'Admit what you cannot do.',
  'For simple questions give a short answer.',
  'For other questions explain your reasoning first.',
  'Write in the language of the user.', 'The date is 2026-01-01.',
  'You have no access to the network.', 'Today the weather is fine.',
  'Title: An article about models', 'URL: https://example.com/page',
  'Content: Small models are fast, large ones know more.',
  '- first point', '- second point', '1. Read.', '2. Think.', '3. Answer.',
  'You are TabAgent, a helpful assistant that lives in a browser panel.',
];

/** System prompts that ask for one word. */
export const ONE_WORD = ['Answer in one word.', 'Use one word only.',
  'Reply with a single word.'];

/** System prompts that ask for JSON. */
export const JSON_ONLY = [
  'Answer in JSON.', 'Reply only with one JSON object.',
  'Reply with a JSON object {"data": ..., "error": null} and nothing else.',
  'Your whole reply is one JSON object with the members "data" and "error".',
];

/** System prompts that ask for a pirate. */
export const PIRATE = ['You are a pirate.', 'Talk like a pirate.'];
