// What is used of s3rver, which has no types.
declare module "s3rver" {
  // biome-ignore lint/style/noDefaultExport: what the package exports
  export default class S3rver {
    constructor(options: {
      readonly address: string;
      readonly port: number;
      readonly silent: boolean;
      readonly directory: string;
      readonly configureBuckets: readonly { readonly name: string }[];
    });
    run(): Promise<{ readonly port: number }>;
    close(): Promise<void>;
  }
}
