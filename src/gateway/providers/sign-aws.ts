import { AwsV4Signer } from "aws4fetch";
import type { AwsCredentials } from "./provider.ts";

interface SignParams {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly body: Buffer | null;
  readonly credentials: AwsCredentials;
  readonly at: Date;
}

/** Headers that sign a call to Bedrock (AWS Signature Version 4), names in lower case. */
export async function signAws(params: Readonly<SignParams>): Promise<Record<string, string>> {
  const { credentials } = params;
  const signer = new AwsV4Signer({
    method: params.method,
    url: params.url,
    body: params.body === null ? null : new Uint8Array(params.body),
    service: "bedrock",
    region: credentials.region,
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
    datetime: params.at.toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
  });
  const { headers } = await signer.sign();
  const signed: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (name !== "host") signed[name] = value;
  });
  return signed;
}
