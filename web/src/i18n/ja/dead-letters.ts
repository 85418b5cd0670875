export const deadLetters = {
  deadLetters: {
    ask: "破棄しますか？",
    askText: "一覧から消え、再試行もされません。誰が破棄したかは履歴に残ります。",
    discard: "破棄",
    done: { discard: "破棄しました。", retry: "再試行します。すでに反映されている分は繰り返しません。" },
    hide: "閉じる",
    kind: { message: "メッセージ", outbox: "GitHub への書き込み", webhook: "GitHub からの通知" },
    none: "配信できなかったものはありません。GitHub への書き込み、GitHub からの通知、エージェントへのメッセージのうち、何度試しても届かなかったものがここに並び、再試行や破棄ができます。端末からは次のコマンドで確認できます。",
    retry: "再試行",
    show: "内容を表示",
  },
} as const;
