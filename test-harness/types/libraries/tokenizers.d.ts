// SPDX-License-Identifier: Apache-2.0
// What is used of the package. Its own declarations do not compile under
// node16: they import each other without file extensions.

export interface AddedToken {
  content: string;
  special: boolean;
}

export class Tokenizer {
  constructor(tokenizer: object, config: object);
  encode(text: string, options?: { add_special_tokens?: boolean }):
    { ids: number[] };
  decode(ids: number[], options?: {
    skip_special_tokens?: boolean, clean_up_tokenization_spaces?: boolean,
  }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, AddedToken>;
  get_vocab(withAddedTokens?: boolean): Map<string, number>;
}
