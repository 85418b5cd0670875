/**
 * What helps, by the server's English sentence: advice has no code. Commands in it stand as they are, and a sentence
 * that is not here is shown in English.
 */
export const advice: Readonly<Record<string, string>> = {
  "It goes on by itself.": "このまま自動で進みます。",
  "Start the control plane on that machine.": "そのマシンで miyabi up を実行してください。",
  "Correct miyabi.yaml or the repository's .miyabi/workflow.yaml.":
    "miyabi.yaml またはリポジトリの .miyabi/workflow.yaml を修正してください。",
  "Put a new token into .env beside miyabi.yaml.":
    "miyabi.yaml と同じ場所の .env に、新しいトークンを設定してください。",
  "Free some space; work goes on by itself then.":
    "ディスクの空き容量を増やしてください。作業は自動で再開します。",
  "Free some space, or set MIYABI_HOME to a directory on another disk.":
    "ディスクの空き容量を増やすか、MIYABI_HOME に別のディスクのディレクトリを指定してください。",
  "Install tmux and restart: apt-get install tmux":
    "`apt-get install tmux` で tmux をインストールし、再起動してください。",
  "Install bubblewrap 0.8 or newer, from your distribution's backports or https://github.com/containers/bubblewrap.":
    "bubblewrap 0.8 以降を、ディストリビューションのバックポートか https://github.com/containers/bubblewrap からインストールしてください。",
  "Run Miyabi Orchestra on Linux (a virtual machine or WSL 2 will do), or accept the risk with --unsafe-no-sandbox.":
    "Linux（仮想マシンや WSL 2 でも可）で動かすか、危険を承知のうえで --unsafe-no-sandbox を付けてください。",
  "Run on a machine that allows user namespaces, or accept the risk with --unsafe-no-sandbox.":
    "ユーザー名前空間を使えるマシンで動かすか、危険を承知のうえで --unsafe-no-sandbox を付けてください。",
  "Run `miyabi doctor` to see what this machine lacks.": "足りないものは `miyabi doctor` で確認できます。",
  "Run `miyabi doctor`, or try another agent.":
    "`miyabi doctor` で原因を確認するか、別のエージェントを試してください。",
  "Work goes on by itself when it is back; `miyabi doctor` says why it is away.":
    "復旧すると自動で再開します。原因は `miyabi doctor` で確認できます。",
  "Wait a minute and try again.": "1 分ほど待って、もう一度お試しください。",
  "Close some windows of the console.": "開いているコンソールのウィンドウをいくつか閉じてください。",
  "Leave one of these dependencies out.": "依存関係のうち、どれか 1 つを外してください。",
  "Give the whole path, e.g. /home/you/project.": "/home/you/project のように、絶対パスで指定してください。",
  "Raise `limits.handoverBytes` in miyabi.yaml, or leave large files out of the work.":
    "miyabi.yaml の `limits.handoverBytes` を増やすか、大きなファイルを成果から外してください。",
  "Choose one of these, or describe your own agent under `agents.profiles` in the configuration.":
    "この中から選ぶか、設定の `agents.profiles` に独自のエージェントを書いてください。",
};
