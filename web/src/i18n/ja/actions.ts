export const actions = {
  actions: {
    approve: "承認",
    cancel: "タスクを中止",
    class: "緊急度",
    confirm: {
      cancel: {
        title: "{{id}} を中止しますか？",
        what: "担当のエージェントは作業を止めます。これまでの成果はブランチ {{branch}} に残り、再試行すると続きから再開します。",
      },
      reject: {
        title: "{{id}} を却下しますか？",
        what: "コメントを添えてエージェントに差し戻します。ワークフローに差し戻し先がない場合は中止になります。成果はブランチ {{branch}} に残ります。",
      },
      takeover: {
        title: "{{id}} を引き継ぎますか？",
        what: "エージェントは手を止め、同じセッションの端末がペインで開きます（ブランチ {{branch}}）。タスクは、エージェントに返すまで待機します。次のコマンドでも引き継げます。",
      },
    },
    done: {
      approve: "{{id}} を承認しました。次へ進みます。",
      cancel: "{{id}} を中止しました。",
      class: "{{id}} の緊急度を {{to}} に変更しました。期限も変わります。",
      handback: "{{id}} をエージェントに返しました。",
      reject: "{{id}} を却下しました。",
      retry: "{{id}} を続きから再開します。",
      takeover: "{{id}} を引き継ぎました。端末を開くコマンド: {{command}}",
    },
    explain: "理由を見る",
    handback: "エージェントに返す",
    note: "修正してほしい点（任意）",
    reject: "却下",
    retry: "再試行",
    takeover: "引き継ぐ",
  },
} as const;
