export const agents = {
  agents: {
    busyShare: "直近 24 時間の稼働率 {{percent}} %",
    confirm: {
      drain: {
        title: "{{name}}の受付を止めますか？",
        what: "{{name}}は手元の作業を終えると、受付を再開するまで新しい作業を始めません。",
      },
      restart: {
        title: "{{name}}を再起動しますか？",
        what: "エージェントホストを終了し、数秒以内に新しいホストを起動します。手元の作業は続きから再開します。",
      },
      takeover: {
        title: "{{name}}の作業を引き継ぎますか？",
        what: "エージェントは手を止め、同じセッションの端末がペインで開きます。{{id}} は、エージェントに返すまで待機します。",
      },
    },
    done: {
      drain: "{{name}}の受付を止めました。",
      restart: "{{name}}を再起動しています。",
      undrain: "{{name}}の受付を再開しました。",
    },
    drain: "受付を止める",
    enlarge: "拡大表示",
    enlargeOf: "{{name}}のペインを拡大表示",
    heartbeat: "最終応答",
    lead_other: "{{count}} 名中 {{busy}} 名が作業中",
    loading: "読み込み中…",
    noHeartbeat: "まだ応答がありません",
    noScreen: "まだ表示するものがありません。",
    none: "エージェントがまだ起動していません。足りないものは次のコマンドで確認できます。",
    now: {
      busy: "まもなく実行内容が表示されます。",
      down: "エージェントホストが動いていません。自動で再起動します。",
      draining: "新しい作業を受け付けていません。",
      idle: "手元の作業はありません。",
      parked: "プロバイダーの利用上限が解除されるのを待っています。",
      starting: "エージェントホストを起動しています。",
      "taken-over": "人が端末で作業しています。",
    },
    paneOf: "{{name}}のペイン",
    restart: "再起動",
    tell: "送信",
    tellPlaceholder: "{{name}}へのメッセージ",
    told: "{{name}}に送りました。作業の区切りで読まれます。",
    undrain: "受付を再開",
  },
} as const;
