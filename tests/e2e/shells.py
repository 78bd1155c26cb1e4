"""What bash, zsh and fish would complete of a command line, with our completions and no others."""

import os
import pty
import select
import shlex
import signal
import subprocess
import time

BASH = r"""
source "$1/dnsbuddy.bash"
# As readline cuts a line: at blanks, = and :
while IFS= read -r line; do
	COMP_WORDS=() word=
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		case $c in
		' ') [[ -z $word ]] || COMP_WORDS+=("$word"); word= ;;
		[=:]) [[ -z $word ]] || COMP_WORDS+=("$word"); COMP_WORDS+=("$c"); word= ;;
		*) word+=$c ;;
		esac
	done
	if [[ -n $word || ! $line =~ [=:]$ ]]; then
		COMP_WORDS+=("$word")
	fi
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
	_dnsbuddy
	((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
	echo END
done
"""

# What is added is written to a file, and the line is read from one: the screen and the keys are for people. One key is all
# that is typed, and not before there is an editor to take it. Nothing is left of one completion to the next: no menu, no list
# that is still to be shown. What was asked is in the answer: a line that came otherwise is no empty one.
ZSH = r"""
PS1= PS2= RPS1= ; unset zle_bracketed_paste; setopt no_beep no_auto_menu no_auto_list
fpath=($FOLDER $fpath)
autoload -Uz compinit; compinit -u -D
compadd() {
	setopt localoptions extendedglob
	local -a found
	if [[ " ${@[1,(i)(-|--)]} " != *" -"[^\ ]#[OAD]" "* ]]; then
		builtin compadd -O found "$@"
		(( $#found )) && print -rl -- $found >>$OUT
	fi
	builtin compadd "$@"
}
tell() {
	zle kill-buffer
	BUFFER=$(<$OUT.line) CURSOR=$#BUFFER
	print -r -- "$BUFFER" >>$OUT
	zle complete-word
	BUFFER=
	print END >>$OUT
}
zle-line-init() { print END >>$OUT; }
zle -N tell; bindkey '^T' tell; zle -N zle-line-init
"""


class Bash:
    def __init__(self, folder, env):
        self.process = subprocess.Popen(["bash", "--norc", "--noprofile", "-c", BASH, "bash", folder], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=env["HOME"])

    def complete(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        out = []
        while (answer := self.process.stdout.readline()) not in ("END\n", ""):
            out.append(answer[:-1])
        assert answer, "bash ended"
        return out

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Fish:
    def __init__(self, folder, env):
        self.folder, self.env = folder, env

    def complete(self, line):
        script = f"source {shlex.quote(str(self.folder))}/dnsbuddy.fish; complete -C {shlex.quote(line)}"
        done = subprocess.run(["fish", "--no-config", "-c", script], env=self.env, text=True, capture_output=True,
                              cwd=self.env["HOME"], timeout=30, check=True)
        assert not done.stderr, done.stderr
        return [row.split("\t")[0] for row in done.stdout.splitlines()]

    def stop(self):
        pass


class Zsh:
    def __init__(self, folder, env):
        self.out = os.path.join(env["HOME"], "zsh.out")
        self.seen = 0
        open(self.out, "w").close()
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(env["HOME"])
            os.execvpe("zsh", ["zsh", "-f", "-i"], env | {"TERM": "vt100", "FOLDER": str(folder), "OUT": self.out})
        with open(os.path.join(env["HOME"], "setup.zsh"), "w") as file:
            file.write(ZSH)
        os.write(self.terminal, b"source $HOME/setup.zsh\n")
        self.answer()

    def answer(self):
        """The lines written since the last time, to END; the screen is read and thrown away."""
        screen, until = b"", time.monotonic() + 30
        while time.monotonic() < until:
            if select.select([self.terminal], [], [], 0.02)[0]:
                screen += os.read(self.terminal, 65536)
            with open(self.out) as file:
                lines = file.read().splitlines()[self.seen:]
            if lines and lines[-1] == "END":
                self.seen += len(lines)
                return lines[:-1]
        raise AssertionError(f"zsh does not answer: {screen[-2000:]}")

    def complete(self, line):
        with open(self.out + ".line", "w") as file:
            file.write(line)
        os.write(self.terminal, b"\x14")
        asked, *found = self.answer()
        assert asked == line
        return found

    def stop(self):
        os.kill(self.pid, signal.SIGHUP)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}
