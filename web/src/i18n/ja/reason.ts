/**
 * Reasons and errors by their code. The placeholders are the reason's params, said in Japanese where they are words of
 * ours, and `message`: the server's own sentence, only where it is a person's or an agent's words or names what is wrong.
 */
export const reason = {
  reason: {
    not_found: "見つかりませんでした。削除されたか、ID に誤りがある可能性があります。",
    agent: {
      bad_verdict: "エージェントの報告が、このステップで使える結果ではありませんでした。",
      blocked: "エージェントから、続行できないと報告がありました。{{message}}",
      down: "エージェントホストに接続できません。自動で再起動します。",
      exited: "エージェントが途中で終了しました。",
      no_changes: "エージェントは完了と報告しましたが、変更がありません。",
      no_verdict: "エージェントが結果を報告しないまま終了しました。",
      protocol: "エージェントとの通信で問題が起きました。",
      quota: "プロバイダーの利用上限に達しました。",
      refused: "エージェントが依頼を断りました。",
      unavailable: "エージェントを起動できません。",
    },
    agents: {
      busy: "担当できるエージェントは全員作業中です（{{slots}}）。",
      down: "担当できるエージェント（{{slots}}）が、今は動いていません。",
      draining: "{{slots}}は、新しい作業の受付を止めています。",
      parked: "{{slots}}は、プロバイダーの利用上限が解除されるのを待っています。",
      starting: "{{slots}}を起動しています。",
      taken_over: "{{slots}}の端末で、人が作業しています。",
    },
    api: {
      forbidden: "この操作を行う権限がありません。",
      media_type: "対応していない形式のデータです。",
      method_not_allowed: "この URL では使えない操作です。",
      origin: "許可されていないオリジンからのアクセスです。",
      rate_limited: "リクエストが多すぎます。少し待ってから再試行してください。",
      unauthenticated: "サインインが必要です。",
    },
    approval: { open: "承認待ちです。{{message}}" },
    base: {
      rewritten:
        "マージ先のブランチが強制プッシュで書き換えられ、成果が合わなくなりました。手作業で新しいブランチに合わせてください。",
    },
    branch: {
      deleted: "ブランチ {{branch}} が GitHub で削除されました。再試行すると、もう一度プッシュします。",
      moved: "ブランチが、ほかの人の操作で変わりました。{{message}}",
      refused: "GitHub がブランチを受け付けませんでした。{{message}}",
    },
    chat: {
      forbidden: "ここで終わりました。{{persona}}は「{{phrase}}」と言わない決まりです。",
      interrupted: "中断が続いたため、回答の作成をやめました。",
      model_failed: "モデルから回答を得られませんでした。{{message}}",
      no_model: "使えるモデルがありません。どのプロバイダーにもキーが設定されていません。",
      too_long: "モデルの出力上限に達したため、回答が途中で終わっています。",
    },
    check: {
      failed: "チェックに失敗しました。",
      rounds_used_up: "チェックに {{rounds}} 回失敗しました。対応が必要です。",
    },
    ci: {
      pending: "プルリクエストの CI を待っています。",
      rounds_used_up: "プルリクエストの CI が {{rounds}} 回失敗しました。対応が必要です。",
    },
    command: { failed: "コマンドが失敗しました。" },
    config: { invalid: "設定に誤りがあります。{{message}}" },
    conflict: { state: "今の状態では、この操作はできません。{{message}}" },
    daemon: {
      already_running: "Miyabi はすでに動いています。",
      not_running: "Miyabi が動いていません。",
      start_failed: "Miyabi を起動できませんでした。",
    },
    database: {
      migration_changed: "データベースの移行履歴が、このバージョンと一致しません。",
      newer: "データベースが、このバージョンより新しい形式です。",
      start_failed: "データベースを起動できませんでした。",
      unavailable: "データベースに接続できません。",
    },
    dependency: {
      cycle: "依存関係が循環しています。{{message}}",
      merged: "先行タスクはすべてマージされました。まもなく始まります。",
      not_merged: "先行タスク {{tasks}} のマージを待っています。",
      stuck: "先行タスク {{tasks}} がマージされないまま終わったため、先に進めません。",
    },
    disk: {
      full: "ディスクの空き容量がありません。空きができると自動で再開します。",
      not_writable: "データディレクトリに書き込めません。",
      quota: "実行が使えるディスク容量の上限を超えました。",
    },
    gateway: {
      cache_unavailable: "応答を保存しているキャッシュのサーバーに接続できません。",
      not_configured: "ゲートウェイにモデルの接続先が設定されていません。",
      upstream: "モデルのプロバイダーが応答しませんでした。",
    },
    github: {
      unauthorized: "GitHub のトークンが使えなくなっています。GitHub を使わない作業は続けます。",
      forbidden: "GitHub に許可されていない操作です。アプリの権限を確認してください。",
      not_installed:
        "GitHub のアプリがこのリポジトリにインストールされていません。GitHub を使わない作業は続けます。",
      rate_limited: "GitHub の利用制限に達しました。解除されると自動で再開します。",
      refused: "GitHub が操作を受け付けませんでした。",
      suspended: "GitHub のアプリのインストールが停止されています。GitHub を使わない作業は続けます。",
      unavailable: "GitHub に接続できません。",
    },
    handover: {
      invalid: "エージェントから受け取った成果物を検証できませんでした。",
      missing: "エージェントの成果物が届きませんでした。",
    },
    health: {
      agents: {
        degraded: "接続していないエージェントがあります。",
        ok: "すべて接続しています。",
      },
      cache: {
        degraded: "キャッシュのサーバーが応答しないため、モデルの呼び出しはキャッシュなしで続いています。",
        ok: "キャッシュのサーバーは正常に応答しています。",
      },
      "dead-letters": {
        degraded: "{{count}} 件が配信できないままです。",
        ok: "すべて配信できています。",
      },
      database: {
        down: "応答がありません。自動で再起動します。",
        ok: "正常に応答しています。",
      },
      disk: {
        degraded: "ディスクの空き容量がないため、エージェントが作業できません。",
        ok: "空き容量があります。",
      },
      github: {
        degraded:
          "利用制限に達したため、優先度の低い書き込みを待たせています(1 時間に {{written}} / {{perHour}} 件、待ち {{waiting}} 件、リクエストの残り {{remaining}} / {{limit}} 件)。",
        ok: "リクエストの残り {{remaining}} / {{limit}} 件、1 時間の書き込み {{written}} / {{perHour}} 件、待ち {{waiting}} 件。",
      },
      panes: { degraded: "tmux がないため、エージェントはペインなしで動きます。" },
      sandbox: { degraded: "サンドボックスを使えないため、サンプルだけが動きます。" },
    },
    host: {
      died: "実行の途中でエージェントホストが終了しました。自動で再開します。",
      disconnected: "{{slot}}のエージェントホストとの接続が切れています。数秒以内に復帰するか、交代します。",
      gone: "実行を受け取る前にエージェントホストが終了しました。割り当て直します。",
      silent: "エージェントホストの応答がなくなりました。自動で再開します。",
    },
    input: {
      invalid: "入力内容を確認してください。{{message}}",
      too_large: "データが大きすぎます。",
    },
    internal: { bug: "内部エラーが発生しました。ログを確認してください。" },
    issue: {
      closed: "GitHub の課題 {{issue}} が閉じられたため、止めました。成果は残っています。",
      deleted: "GitHub の課題 {{issue}} が削除されたため、止めました。成果は残っています。",
      transferred: "GitHub の課題 {{issue}} が {{to}} に移されたため、止めました。成果は残っています。",
      unlabelled: "GitHub の課題 {{issue}} のラベルが外されたため、止めました。成果は残っています。",
    },
    lease: {
      expired: "エージェントホストからの応答が途絶えたため、実行を割り当て直します。",
      lost: "この実行は、すでに別のエージェントに割り当て直されています。",
    },
    machine: {
      away: "リポジトリのあるマシン {{machine}} の応答を待っています。",
      gone: "マシン {{machine}} の応答がなくなりました。ほかのマシンで続行します。",
      reserved: "作業中のクローンがあるマシン {{machine}} が引き受けます。",
      works: "マシン {{machine}} で実行しています。",
    },
    merge: {
      ahead: "{{tasks}} の後にマージします。",
      awaiting: "納品済みです。プルリクエストのマージを待っています。",
      awaiting_approval: "納品済みです。プルリクエストの承認を待っています。",
      awaiting_changes: "納品済みです。レビュアーが修正を求めており、その後の承認がまだありません。",
      awaiting_checks: "納品済みです。プルリクエストの CI を待っています。",
      by_person: "納品済みです。プルリクエストは人がマージします。",
      checking: "マージ結果をチェックしています。",
      dequeued: "GitHub のマージキューから外れました（{{why}}）。対応が必要です。",
      in_queue: "納品済みです。GitHub のマージキューで順番を待っています。",
      queued: "マージの順番を待っています。",
      refused: "GitHub がマージを受け付けませんでした。{{message}}",
      rounds_used_up: "マージ先との衝突が {{rounds}} 回続きました。対応が必要です。",
      running: "マージしています。",
    },
    network: { unreachable: "Miyabi に接続できません。" },
    order: {
      class: "緊急度 {{class}} の期限が近いため、先に始めます。",
      due_date: "指定された期日が近いため、先に始めます。",
      inherited: "このタスクを待っている {{from}} の期限に合わせて、先に始めます。",
    },
    person: {
      cancelled: "人の操作で中止されました。",
      retry: "人の操作により、すぐに再試行します。",
      takeover: "人がエージェントの端末で作業しています。",
    },
    port: { taken: "ポートがほかのプログラムに使われています。" },
    prepare: { failed: "準備のコマンドが失敗しました。" },
    process: {
      failed: "プログラムが異常終了しました。",
      timeout: "プログラムが時間内に終わりませんでした。",
    },
    pull_request: {
      closed: "プルリクエストが {{by}} によって、マージされないまま閉じられました。",
      merged: "プルリクエストがマージされました。",
      opening: "プルリクエストを作成しています。",
    },
    protected: {
      changed: "コードの外に影響するファイルを変更しています: {{paths}}。先へ進めるには承認が必要です。",
    },
    question: { open: "エージェントの質問 {{question}} が回答を待っています。" },
    queue: {
      ahead: "{{queue}}の待機列で {{position}} 番目です。期限の近いものから始まります。",
      nobody: "ステップ「{{step}}」に必要な役割（{{queue}}）のエージェントが、チームにいません。",
      starting: "{{slots}}の手が空いています。まもなく始まります。",
    },
    quota: { until: "利用上限が解除されるのを待って、自動で再開します。" },
    repository: {
      archived:
        "GitHub のリポジトリ {{repository}} がアーカイブされたため、止めました。解除されると再開します。",
      gone: "GitHub にリポジトリ {{repository}} が見つからないか、閲覧の権限がありません。",
      replaced: "GitHub の {{repository}} は、以前とは別のリポジトリになっています。",
      conflict: "ほかの変更と衝突しました。",
      dirty: "作業ツリーに未コミットの変更があります。",
      unusable: "リポジトリを使えません。{{message}}",
    },
    retry: {
      now: "もう一度実行します。",
      until: "しばらく待って、自動で再試行します。前回の結果: {{error}}",
    },
    review: {
      remote_rounds_used_up:
        "レビュアーから {{rounds}} 回、修正を求められました（最後は {{by}}）。対応が必要です。",
      rounds_used_up:
        "レビューで {{rounds}} 回、修正を求められました。この変更を承認するか判断してください。",
    },
    run: {
      cancelled: "実行を中止しました。",
      failed: "実行に失敗しました。",
      lost_too_often: "実行の中断が {{times}} 回続きました。",
      memory: "メモリの使用量が上限を超えたため、実行を止めました。",
      output_limit: "出力量の上限を超えました。",
      preparing: "{{slot}}が「{{step}}」の準備をしています（クローン、サンドボックス、エージェント）。",
      processes: "プロセス数の上限を超えました。",
      timeout: "制限時間内に終わりませんでした。",
      working: "{{slot}}が「{{step}}」を進めています（{{minutes}} 分経過）。",
    },
    sandbox: {
      missing: "サンドボックスを使えないため、サンプル以外のタスクは実行できません。",
      unavailable: "サンドボックスを使えません。",
    },
    target: {
      changes: "{{path}} に未コミットの変更があり、マージできません。",
      locked: "ほかの git が {{path}} を使用中のため、マージを待っています。",
      operation: "{{path}} で git の操作が途中のため、マージを待っています。",
      special: "{{path}} のチェックアウトを更新できず、マージを待っています。",
      untracked: "{{path}} にある未追跡のファイルが上書きされるため、マージを待っています。",
    },
    task: {
      delivered: "変更は承認され、ブランチ {{branch}} にあります。{{target}} に入ると完了です。",
      done: "完了しました。",
      failed: "失敗しました。原因の記録はありません。",
      merged: "完了しました。コミット {{commit}} として {{target}} にマージされています。",
      queued: "受け付けました。まもなく処理が始まります。",
      retry_possible: "再試行すると、止まったところから再開します。",
      starting: "まもなく始まります。",
      working: "作業中です。",
    },
    text: { changed: "{{by}} の指示により、課題の新しい本文でやり直します。" },
    tool: { missing: "必要なプログラムがインストールされていません。{{message}}" },
    usage: { invalid: "コマンドの使い方に誤りがあります。{{message}}" },
    wait: {
      time: "次の試行まで {{seconds}} 秒です。",
      unknown: "待機しています。",
    },
    work: { kept: "これまでの成果はブランチ {{branch}} にあります。" },
    workflow: { invalid: "ワークフローの定義に誤りがあります。{{message}}" },
  },
} as const;
