// Short runs for queues: small enough to be made in a second or two, with so many checkpoints that one is soon whole.

/** A config of a small network on penguins: `steps` in all, a checkpoint every so many, of which two are kept. */
export function shortConfig({
  steps,
  every,
  seed = 7,
}: {
  readonly steps: number;
  readonly every: number;
  readonly seed?: number;
}): string {
  return `trainer:
  init:
    seed: ${seed}
    model: {name: mlp, sizes: [9, 16, 3], dropout: 0.1}
    loss: cross_entropy
    metrics: [accuracy]
    optimizer: {AdamW: {learning_rate: 0.01}}
    loop: {max_steps: ${steps}}
    checkpoint: {steps: ${every}, keep: 2}
    loggers: [ProgressLogger: null, CSVLogger: {}]
    threads: 1
  fit:
    train_dataloader: {name: vega, table: penguins, target: Species, classes: [Adelie, Chinstrap, Gentoo], categorical: [Island, Sex], standardize: true, missing: {texts: ["", "."], value: mean}, batch_size: 32, shuffle: true, validation_split: 0.2}
`;
}
