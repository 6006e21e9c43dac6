// SPDX-License-Identifier: Apache-2.0
// Model families as the Hub knows them: how often each is met among ONNX
// repositories, under which names, and at which sizes. Data only.

/**
 * @typedef {object} Family
 * @property {string} type model_type of config.json
 * @property {number} weight relative frequency
 * @property {string} org
 * @property {string[]} names
 * @property {number} parameters millions of weights of the first name
 */

/**
 * @param {string} type
 * @param {number} weight
 * @param {string} org
 * @param {number} parameters
 * @param {string} names separated by blanks
 * @returns {Family}
 */
function family(type, weight, org, parameters, names) {
  return { type, weight, org, parameters, names: names.split(' ') };
}

/** @type {Family[]} */
export const FAMILIES = [
  family('llama', 34, 'meta-llama', 1236,
    'Llama-3.2-1B-Instruct Llama-3.2-3B-Instruct TinyLlama-1.1B-Chat-v1.0 '
    + 'SmolLM2-135M-Instruct SmolLM2-360M-Instruct SmolLM2-1.7B-Instruct '
    + 'MobileLLM-125M DeepSeek-R1-Distill-Llama-8B'),
  family('qwen2', 30, 'Qwen', 494,
    'Qwen2.5-0.5B-Instruct Qwen2.5-1.5B-Instruct '
    + 'Qwen2.5-Coder-0.5B-Instruct Qwen2-0.5B DeepSeek-R1-Distill-Qwen-1.5B'),
  family('qwen3', 24, 'Qwen', 596,
    'Qwen3-0.6B Qwen3-1.7B Qwen3-4B-Instruct-2507 Qwen3-Embedding-0.6B '
    + 'Qwen3-Reranker-0.6B'),
  family('gemma', 6, 'google', 2506, 'gemma-2b-it gemma-2b'),
  family('gemma2', 6, 'google', 2614, 'gemma-2-2b-it gemma-2-2b-jpn-it'),
  family('gemma3_text', 14, 'google', 268,
    'gemma-3-270m-it gemma-3-1b-it gemma-3-1b-pt'),
  family('gemma3', 4, 'google', 4300, 'gemma-3-4b-it'),
  family('phi', 5, 'microsoft', 1418, 'phi-1_5 phi-2'),
  family('phi3', 12, 'microsoft', 3821,
    'Phi-3-mini-4k-instruct Phi-3.5-mini-instruct Phi-4-mini-instruct'),
  family('smollm3', 6, 'HuggingFaceTB', 3075, 'SmolLM3-3B SmolLM3-3B-Base'),
  family('mistral', 8, 'mistralai', 7248,
    'Mistral-7B-Instruct-v0.3 TinyMistral-248M Ministral-tiny'),
  family('gpt2', 26, 'openai-community', 124,
    'gpt2 distilgpt2 gpt2-medium tiny-gpt2 DialoGPT-small'),
  family('gpt_neo', 6, 'EleutherAI', 125, 'gpt-neo-125m TinyStories-33M'),
  family('gpt_neox', 8, 'EleutherAI', 70,
    'pythia-70m-deduped pythia-160m pythia-410m'),
  family('gptj', 2, 'EleutherAI', 6053, 'gpt-j-6b'),
  family('opt', 5, 'facebook', 125, 'opt-125m opt-350m'),
  family('bloom', 5, 'bigscience', 559, 'bloom-560m bloomz-560m'),
  family('codegen', 3, 'Salesforce', 357,
    'codegen-350M-mono codegen-350M-multi'),
  family('gpt_bigcode', 3, 'bigcode', 164,
    'tiny_starcoder_py starcoderbase-1b'),
  family('starcoder2', 2, 'bigcode', 3030, 'starcoder2-3b'),
  family('granite', 4, 'ibm-granite', 2534,
    'granite-3.1-2b-instruct granite-3.0-2b-instruct'),
  family('olmo2', 3, 'allenai', 1485, 'OLMo-2-0425-1B-Instruct'),
  family('stablelm', 3, 'stabilityai', 1645, 'stablelm-2-zephyr-1_6b'),
  family('lfm2', 6, 'LiquidAI', 354, 'LFM2-350M LFM2-700M LFM2-1.2B'),
  family('falcon', 2, 'tiiuae', 7000, 'falcon-7b-instruct'),
  family('exaone', 2, 'LGAI-EXAONE', 2405, 'EXAONE-3.5-2.4B-Instruct'),
  family('cohere', 2, 'CohereForAI', 8028, 'aya-23-8B'),
  family('helium', 1, 'kyutai', 2000, 'helium-1-preview-2b'),
  family('openelm', 2, 'apple', 270, 'OpenELM-270M-Instruct'),
  family('t5', 26, 'google', 77,
    'flan-t5-small flan-t5-base t5-small LaMini-Flan-T5-77M '
    + 'sentence-t5-base'),
  family('mt5', 6, 'google', 300, 'mt5-small mt5-base'),
  family('bart', 10, 'facebook', 406,
    'bart-large-cnn distilbart-cnn-6-6 bart-large-mnli'),
  family('marian', 26, 'Helsinki-NLP', 74,
    'opus-mt-en-de opus-mt-en-fr opus-mt-ru-en opus-mt-zh-en '
    + 'opus-mt-tc-big-en-ar'),
  family('m2m_100', 5, 'facebook', 418, 'm2m100_418M nllb-200-distilled-600M'),
  family('mbart', 3, 'facebook', 611, 'mbart-large-50-many-to-many-mmt'),
  family('pegasus', 2, 'google', 570, 'pegasus-xsum'),
  family('whisper', 36, 'openai', 39,
    'whisper-tiny whisper-tiny.en whisper-base whisper-small '
    + 'distil-small.en lite-whisper'),
  family('wav2vec2', 16, 'facebook', 95,
    'wav2vec2-base-960h wav2vec2-large-xlsr-53-english'),
  family('hubert', 3, 'facebook', 95, 'hubert-base-ls960'),
  family('speecht5', 2, 'microsoft', 144, 'speecht5_tts'),
  family('vits', 6, 'facebook', 36, 'mms-tts-eng mms-tts-rus'),
  family('musicgen', 1, 'facebook', 590, 'musicgen-small'),
  family('bert', 84, 'google-bert', 110,
    'bert-base-uncased all-MiniLM-L6-v2 bge-small-en-v1.5 gte-small '
    + 'e5-small-v2 ms-marco-MiniLM-L-6-v2 bert-base-NER'),
  family('distilbert', 34, 'distilbert', 66,
    'distilbert-base-uncased '
    + 'distilbert-base-uncased-finetuned-sst-2-english'),
  family('roberta', 38, 'FacebookAI', 125,
    'roberta-base twitter-roberta-base-sentiment roberta-base-squad2'),
  family('xlm-roberta', 30, 'FacebookAI', 278,
    'xlm-roberta-base multilingual-e5-small bge-m3 bge-reranker-base'),
  family('deberta-v2', 14, 'microsoft', 184,
    'deberta-v3-base deberta-v3-small mDeBERTa-v3-base-mnli-xnli'),
  family('modernbert', 12, 'answerdotai', 149,
    'ModernBERT-base gte-modernbert-base'),
  family('mpnet', 10, 'sentence-transformers', 109,
    'all-mpnet-base-v2 paraphrase-mpnet-base-v2'),
  family('albert', 6, 'albert', 12,
    'albert-base-v2 paraphrase-albert-small-v2'),
  family('electra', 8, 'google', 14,
    'electra-small-discriminator ms-marco-electra-base'),
  family('nomic_bert', 5, 'nomic-ai', 137, 'nomic-embed-text-v1.5'),
  family('clip', 16, 'openai', 151,
    'clip-vit-base-patch32 clip-vit-base-patch16'),
  family('siglip', 6, 'google', 203, 'siglip-base-patch16-224'),
  family('vit', 18, 'google', 86, 'vit-base-patch16-224 nsfw_image_detection'),
  family('detr', 6, 'facebook', 41, 'detr-resnet-50'),
  family('yolos', 4, 'hustvl', 6, 'yolos-tiny'),
  family('segformer', 6, 'nvidia', 4, 'segformer-b0-finetuned-ade-512-512'),
  family('dinov2', 5, 'facebook', 22, 'dinov2-small dinov2-base'),
  family('depth_anything', 4, 'depth-anything', 25, 'depth-anything-v2-small'),
  family('sam', 4, 'facebook', 94, 'sam-vit-base slimsam-77-uniform'),
  family('idefics3', 4, 'HuggingFaceTB', 256,
    'SmolVLM-256M-Instruct SmolVLM-Instruct'),
  family('llava', 3, 'llava-hf', 7000, 'llava-1.5-7b-hf'),
  family('qwen2_vl', 3, 'Qwen', 2209, 'Qwen2-VL-2B-Instruct'),
  family('florence2', 4, 'microsoft', 232, 'Florence-2-base-ft'),
  family('paligemma', 2, 'google', 2923, 'paligemma2-3b-pt-224'),
];

/** Accounts that publish conversions of other people's models. */
export const CONVERTERS = [
  'onnx-community', 'Xenova', 'optimum', 'webnn', 'mlc-web', 'lmo3',
  'protectai', 'EmbeddedLLM', 'nvidia', 'TheWebML', 'kiranp', 'Felladrin',
  'BricksDisplay', 'philschmid', 'rocca', 'gabyfle', 'WiseIntelligence',
  'sgarbi', 'hmatsu01', 'dev-rxl', 'minuva', 'quickprototype-ai', 'BEE-spoke-data',
];

/** What fine-tuners put at the end of a name. */
export const FINE_TUNES = [
  'sst2', 'emotion', 'imdb', 'squad', 'conll03', 'cnn_dailymail', 'mnli',
  'alpaca', 'dolly', 'samsum', 'common_voice-tr', 'medical', 'sql', 'legal-de',
  'financial-news', 'toxic-comments', 'customer-support', 'xsum', 'go_emotions',
  'banking77', 'ultrachat', 'oasst1', 'wikitext2', 'librispeech-clean',
];

export const LANGUAGES = [
  'en', 'de', 'fr', 'es', 'it', 'pt', 'zh', 'ja', 'ko', 'ar', 'ru', 'hi',
  'tr', 'nl', 'pl', 'vi', 'multilingual',
];

export const LICENSES = [
  'apache-2.0', 'mit', 'llama3.2', 'gemma', 'cc-by-4.0', 'cc-by-nc-4.0',
  'other', 'openrail', 'bsd-3-clause', 'afl-3.0',
];
