"""Completions for bash, zsh and fish, from the tables. None of them asks Consul or the network for anything."""

from tables import COMMANDS, SETTINGS

NAMES = [c.name for c in COMMANDS]
TOPICS = NAMES + ["settings"]  # of help


def is_list(setting):
    return setting.takes == "LIST"


def by_flag(wanted):
    """The flags of the settings that are so, each once: commands mean different things by --ttl, but take alike."""
    return list(dict.fromkeys(f"--{s.flag}" for s in SETTINGS if s.flag and wanted(s)))


# ---- bash ----

BASH = r"""# bash completion for dnsbuddy(1)                           -*- shell-script -*-

_dnsbuddy_add()
{
	mapfile -t COMPREPLY < <(compgen "$@")
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:/] ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

# What the flag $1 takes; $2 is begun.
_dnsbuddy_value()
{
	local before=

	case $1 in
@values@	esac
}

_dnsbuddy()
{
	local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} flags='' is_joined='' i

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_dnsbuddy_add -W '@names@' -- "$cur"
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] || continue
		[[ ${COMP_WORDS[1]} == run ]] || return
		if declare -F _command_offset >/dev/null; then
			_command_offset $((i + 1))
		elif ((COMP_CWORD == i + 1)); then
			_dnsbuddy_add -c -- "$cur"
		else
			compopt -o filenames 2>/dev/null
			_dnsbuddy_add -f -- "$cur"
		fi
		return
	done
	# Of --flag=value three words are made.
	if [[ $cur == '=' ]]; then
		cur='' is_joined=1
	elif [[ $flag == '=' ]]; then
		flag=${COMP_WORDS[COMP_CWORD - 2]} is_joined=1
	fi
	# Nor is KEY= of a value a flag.
	[[ -z $is_joined || $flag == --* ]] || return
	case $flag in
	@switches@)
		[[ -z $is_joined ]] || _dnsbuddy_value "$flag" "$cur"
		[[ -z $is_joined ]] || return
		;;
	@others@)
		_dnsbuddy_value "$flag" "$cur"
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
@commands@	help) ((COMP_CWORD > 2)) || flags='@topics@' ;;
	esac
	_dnsbuddy_add -W "$flags" -- "$cur"
}

complete -F _dnsbuddy dnsbuddy
"""


def bash_values():
    out = f"\t{' | '.join(by_flag(lambda s: s.takes == 'FILE'))})\n\t\tcompopt -o filenames 2>/dev/null\n\t\t_dnsbuddy_add -f -- \"$2\"\n\t\t;;\n"
    out += f"\t{' | '.join(by_flag(lambda s: s.takes == 'COMMAND'))}) _dnsbuddy_add -c -- \"$2\" ;;\n"
    for s in SETTINGS:
        if s.flag and is_list(s):
            out += f"\t--{s.flag})\n\t\t[[ $2 != *,* ]] || before=${{2%,*}},\n"
            out += f"\t\t_dnsbuddy_add -P \"$before\" -W '{' '.join(s.values)}' -- \"${{2#\"$before\"}}\"\n\t\t;;\n"
        elif s.flag and s.values:
            out += f"\t--{s.flag}) _dnsbuddy_add -W '{' '.join(s.values)}' -- \"$2\" ;;\n"
    return out


def flags_of(command):
    return [f"--{s.flag}" for s in command.settings(SETTINGS) if s.flag] + [o.flag for o in command.options]


def filled(text, parts):
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def bash():
    commands = "".join(f"\t{c.name}) flags='{' '.join(flags_of(c))}' ;;\n" for c in COMMANDS if c.groups)
    return filled(BASH, {
        "values": bash_values(), "names": " ".join(NAMES), "commands": commands, "topics": " ".join(TOPICS),
        "switches": " | ".join(by_flag(lambda s: s.is_switch)),
        "others": " | ".join(by_flag(lambda s: not s.is_switch))})


# ---- zsh ----

ZSH = r"""#compdef dnsbuddy

# Words, those to go on with a = : or / at their end; -l: several, with commas between.
_dnsbuddy_values() {
	local -a words
	if [[ $1 == -l ]]; then
		shift
		compset -P '*,'
	fi
	words=("$@")
	compadd -- ${words:#*[=:/]}
	compadd -S '' -- ${(M)words:#*[=:/]}
}

local curcontext=$curcontext command=$words[2]
local -a names
local -i end=${words[(i)--]}

names=(
@names@)
if (( CURRENT == 2 )); then
	_describe -t commands command names
	return
fi
if (( end < CURRENT )); then
	[[ $command == run ]] || return 1
	shift $end words
	(( CURRENT -= end ))
	_normal
	return
fi
shift words
(( CURRENT-- ))
case $command in
@commands@help)
	_arguments '1:topic: _dnsbuddy_values @topics@'
	;;
esac
"""


def zsh_quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_text(text):
    for c in "\\[]:":
        text = text.replace(c, "\\" + c)
    return text


def zsh_action(s):
    if s.takes == "FILE":
        return "_files"
    if s.takes == "COMMAND":
        return " _command_names -e"
    if s.values:
        return " _dnsbuddy_values " + ("-l " if is_list(s) else "") + zsh_text(" ".join(s.values))
    return " "


def zsh_spec(s):
    what_it_takes = zsh_text(s.takes.strip("[=]") or "true|false")
    joint, optional = ("=-", ":") if s.is_switch else ("=", "")
    return zsh_quote(f"--{s.flag}{joint}[{zsh_text(s.help)}]{optional}:{what_it_takes}:{zsh_action(s)}")


def zsh_arguments(command):
    names = [] if command.name == "run" else [w.strip("[]") for w in command.arguments.split()]
    return [f"'{i}:{name}: '" for i, name in enumerate(names, 1)]


def zsh():
    commands = ""
    for c in COMMANDS:
        if c.groups:
            specs = [zsh_spec(s) for s in c.settings(SETTINGS) if s.flag]
            specs += [zsh_quote(f"{o.flag}[{zsh_text(o.doc.replace('`', ''))}]") for o in c.options] + zsh_arguments(c)
            commands += f"{c.name})\n\t_arguments \\\n\t\t" + " \\\n\t\t".join(specs) + "\n\t;;\n"
    names = "".join(f"\t{zsh_quote(c.name + ':' + zsh_text(c.does))}\n" for c in COMMANDS)
    return filled(ZSH, {"names": names, "commands": commands, "topics": " ".join(TOPICS)})


# ---- fish ----

FISH = r"""# fish completion for dnsbuddy(1)

# The command is one of these, and what is typed is its own.
function __dnsbuddy_is
	set -l words (commandline -opc)
	test (count $words) -ge 2; or return 1
	contains -- -- $words[2..]; and return 1
	contains -- $words[2] $argv
end

function __dnsbuddy_is_first
	test (count (commandline -opc)) -eq 1
end

# What is typed is of the application that run is to start.
function __dnsbuddy_has_application
	set -l words (commandline -opc)
	test (count $words) -ge 3; and test $words[2] = run; and contains -- -- $words
end

function __dnsbuddy_application
	set -l words (commandline -opc)
	set -e words[1..(contains -i -- -- $words)]
	complete -C "$(string escape -- $words | string join ' ') $(commandline -ct)"
end

# Several of these words, with commas between.
function __dnsbuddy_list
	set -l before (string replace -r '[^,]*$' '' -- (commandline -ct | string replace -r '^--[a-z-]*=' ''))
	printf '%s\n' $before$argv
end

complete -c dnsbuddy -f
complete -c dnsbuddy -n __dnsbuddy_has_application -xa '(__dnsbuddy_application)'
"""


def fish_quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_takes(s):
    """The options of `complete` for what stands behind the flag."""
    if s.is_switch:
        return ""
    if s.takes == "FILE":
        return " -rF"
    if s.takes == "COMMAND":
        return " -xa '(__fish_complete_command)'"
    if is_list(s):
        return f" -xa '(__dnsbuddy_list {' '.join(s.values)})'"
    return f" -xa '{' '.join(s.values)}'" if s.values else " -x"


def fish():
    out = FISH
    for c in COMMANDS:
        out += f"complete -c dnsbuddy -n __dnsbuddy_is_first -a {c.name} -d {fish_quote(c.does)}\n"
    for s in SETTINGS:
        if s.flag:
            names = " ".join(c.name for c in COMMANDS if s in c.settings(SETTINGS))
            out += f"complete -c dnsbuddy -n '__dnsbuddy_is {names}' -l {s.flag}{fish_takes(s)} -d {fish_quote(s.help)}\n"
    for c in COMMANDS:
        for o in c.options:
            out += f"complete -c dnsbuddy -n '__dnsbuddy_is {c.name}' -l {o.flag[2:]} -d {fish_quote(o.doc.replace('`', ''))}\n"
    topics = "test (count (commandline -opc)) -eq 2"
    return out + f"complete -c dnsbuddy -n '__dnsbuddy_is help; and {topics}' -a '{' '.join(TOPICS)}'\n"
