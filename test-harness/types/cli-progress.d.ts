// SPDX-License-Identifier: Apache-2.0
// The part of cli-progress that the command line uses; the package brings no
// declarations.

declare module 'cli-progress' {
  interface Options {
    format: string | ((
      options: Preset, params: { progress: number }, payload: any) => string);
    barsize: number;
    hideCursor: boolean;
    stream: NodeJS.WritableStream;
    gracefulExit?: boolean;
    formatValue?(value: number, options: Options, type: string): string;
  }

  interface Preset {
    barCompleteString: string;
    barIncompleteString: string;
  }

  interface Bar {
    setTotal(total: number): void;
    update(value: number, payload?: object): void;
    update(payload: object): void;
    increment(by: number, payload?: object): void;
  }

  const cliProgress: {
    Presets: { shades_classic: object };
    MultiBar: new (options: Options, preset: object) => {
      create(total: number, value: number, payload: object): Bar;
      stop(): void;
    };
    SingleBar: new (options: Options, preset: object) => Bar & {
      start(total: number, value: number, payload: object): void;
      stop(): void;
    };
  };
  export default cliProgress;
}
