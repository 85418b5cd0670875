export const messages = {
  messages: {
    attempts_other: "配信を {{count}} 回試行",
    filter: { recipient: "宛先", state: "状態" },
    lead: "エージェントからの質問と、エージェント同士のやり取り",
    none: "条件に合うメッセージはありません。",
    noneForTask: "このタスクに関するメッセージはまだありません。",
    to: "宛先",
    view: { answered: "回答済み", label: "表示するメッセージ", mail: "エージェント間", open: "要回答" },
  },
  questions: {
    answer: "回答する",
    answerTo: "{{asker}}への回答",
    kind: { approval: "承認依頼", permission: "許可申請", question: "質問" },
    noneAnswered: "回答済みの質問はまだありません。",
    noneOpen: "回答待ちの質問はありません。端末からは次のコマンドで確認できます。",
    option: {
      Allow: "許可する",
      "Always Allow": "常に許可する",
      Deny: "許可しない",
      Reject: "許可しない",
      approve: "承認する",
      reject: "却下する",
    },
    placeholder: "回答を入力",
    sent: "{{asker}}に回答を送りました。",
    workflow: "ワークフロー",
  },
} as const;
