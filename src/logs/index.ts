export { readLogs, type ReadLogsParams } from "./read-logs.ts";
export {
  appendTranscript,
  followTranscripts,
  readTranscript,
  type AppendTranscriptParams,
  type TranscriptNews,
  type TranscriptPage,
} from "./transcripts.ts";
