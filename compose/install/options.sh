# shellcheck shell=bash
# Flags: parsed once, checked here, kept in opt_* variables. Sourced by install.sh.

opt_server_name='' opt_public_addr='' opt_priority='' opt_network='' opt_no_start='' opt_yes=''
opt_owner='' opt_bot_token='' opt_no_share_token='' opt_join='' opt_purge='' opt_from='' opt_port=''
opt_vpn_mode='' opt_vpn_interface='' opt_vpn_cidr='' opt_vpn_address='' opt_vpn_listen_port=''
opt_vpn_hub_endpoint='' opt_vpn_hub_public_key='' opt_vpn_allowed_ips='' opt_vpn_preshared_key=''

readonly flags_node='server-name public-addr port priority network from no-start yes vpn-mode vpn-interface vpn-cidr vpn-address vpn-listen-port vpn-hub-endpoint vpn-hub-public-key vpn-allowed-ips vpn-preshared-key'

options() {
    local verb="$1" known
    shift
    case "$verb" in
        init) known="$flags_node owner bot-token bot-token-file no-share-token" ;;
        join) known="$flags_node join join-file" ;;
        upgrade) known='yes no-start from' ;;
        remove) known='yes purge' ;;
        doctor) known='' ;;
    esac
    while [ $# -gt 0 ]; do
        local flag="${1#--}" value=
        [ "$1" != "$flag" ] || refuse "$verb takes flags alone, and no $1 (./install.sh $verb --help)"
        shift
        case "$flag" in *=*) value="${flag#*=}"; flag="${flag%%=*}"; set -- "$value" "$@" ;; esac
        case " $known " in *" $flag "*) ;; *) refuse "$verb knows no --$flag (./install.sh $verb --help)" ;; esac
        case "$flag" in
            no-start | yes | no-share-token | purge) [ -z "$value" ] || die "--$flag takes no value"; printf -v "opt_${flag//-/_}" 1; continue ;;
        esac
        [ $# -gt 0 ] || die "--$flag needs a value"
        take_value "$flag" "$1"
        shift
    done
    check_options
}

# take_value FLAG VALUE: `-` and *-file keep a secret out of the process list and the shell's history.
take_value() {
    local name="$1" value="$2"
    case "$name" in
        *-file)
            [ -r "$value" ] || die "--$name: cannot read $value"
            name="${name%-file}"
            # Of a link also what stands between its lines goes; check_link mends the rest.
            value="$(tr -d ' \t\r\n' <"$value")"
            ;;
        bot-token | join | vpn-preshared-key)
            if [ "$value" = - ]; then
                if [ "$name" = join ]; then read_link; else next_line || true; fi
                [ -n "$value" ] || die "--$name -: nothing on standard input"
            elif [ "$name" != join ]; then
                warn "--$name on the command line stays in the shell's history, and ps shows it meanwhile: \`--$name -\` takes it from standard input"
            fi
            ;;
    esac
    [ -n "$value" ] || die "--$name is empty"
    printf -v "opt_${name//-/_}" '%s' "$value"
}

# matches VALUE REGEX WHAT: an empty value is one that was not given.
matches() { [ -z "$1" ] || [[ $1 =~ $2 ]] || die "$3"; }
# The roster's own rule for names (NAME_CHARS in shared/src/limits.rs) as far as a shell without locales can tell: what is not ASCII may be a letter
# of any script, which the controller judges. A UTF-8 character is one byte that is no continuation (10xxxxxx), and those.
is_name() {
    local ascii
    ascii="$(printf '%s' "$1" | LC_ALL=C tr -d '\200-\377')"
    [ "$(printf '%s' "$1" | LC_ALL=C tr -d '\200-\277' | wc -c)" -le 63 ] && [ -n "$1" ] && [[ $ascii =~ ^[A-Za-z0-9._-]*$ ]] && [[ $1 != [._-]* ]]
}
is_port() { [[ $1 =~ ^[0-9]{1,5}$ ]] && ((10#$1 >= 1 && 10#$1 <= 65535)); }

check_options() {
    # What goes into .env must be one harmless line: no quote, no dollar, no control character.
    is_name "${opt_server_name:-a}" || die "--server-name: 1 to 63 letters, digits, - _ and dots, the first a letter or digit, and not \"$opt_server_name\""
    matches "$opt_public_addr" '^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?$' "--public-addr: HOST, HOST:PORT or [V6]:PORT, not \"$opt_public_addr\""
    is_port "${opt_port:-1}" || die "--port: a port, 1 to 65535"
    matches "$opt_priority" '^[0-9]{1,9}$' "--priority: a whole number, not \"$opt_priority\""
    matches "$opt_network" '^(host|bridge)$' "--network: host or bridge"
    matches "$opt_owner" '^@?[A-Za-z][A-Za-z0-9_]{3,31}$' "--owner: a Telegram username, for instance @maria"
    matches "$opt_bot_token" '^[0-9]+:[A-Za-z0-9_-]{30,}$' "--bot-token: that is not a token of @BotFather (digits, a colon, 30 or more characters)"
    matches "$opt_vpn_mode" '^(none|hub|client)$' "--vpn-mode: none, hub or client"
    matches "$opt_vpn_interface" '^[A-Za-z0-9_-]{1,15}$' "--vpn-interface: up to 15 letters and digits"
    [ -z "$opt_vpn_cidr" ] || is_cidr "$opt_vpn_cidr" || die "--vpn-cidr: an IPv4 network of /8 to /30, for instance 10.42.0.0/24"
    matches "$opt_vpn_address" '^[0-9.]+(/[0-9]{1,2})?$' "--vpn-address: an address inside --vpn-cidr"
    is_port "${opt_vpn_listen_port:-1}" || die "--vpn-listen-port: a port, 1 to 65535"
    matches "$opt_vpn_hub_endpoint" '^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$' "--vpn-hub-endpoint: HOST:PORT"
    is_port "${opt_vpn_hub_endpoint##*:}" || [ -z "$opt_vpn_hub_endpoint" ] || die "--vpn-hub-endpoint: its port is not 1 to 65535"
    matches "$opt_vpn_hub_public_key" '^[A-Za-z0-9+/]{43}=$' "--vpn-hub-public-key: a WireGuard key (44 characters, the last is =)"
    matches "$opt_vpn_allowed_ips" '^[0-9A-Fa-f.:/,]+$' "--vpn-allowed-ips: CIDRs with commas between"
    matches "$opt_vpn_preshared_key" '^[A-Za-z0-9+/]{43}=$' "--vpn-preshared-key: a WireGuard key (44 characters, the last is =)"
    check_link
}

# offered_name TEXT: the nearest name that is one.
offered_name() {
    local name
    name="$(printf '%s' "$1" | LC_ALL=C tr -cs 'A-Za-z0-9._-' '-' | sed 's/^[._-]*//; s/-*$//' | cut -c 1-20)"
    printf '%s\n' "${name:-server}"
}

# Whatever was not given by flag and has no default.
ask_missing() {
    local verb="$1" default_name refused_name=''
    default_name="$(env_get SERVER_NAME)"
    default_name="${default_name:-$(hostname 2>/dev/null || cat /etc/hostname)}"
    is_name "$default_name" || refused_name="$default_name" default_name=''
    [ -n "$opt_server_name" ] || { ask "Name of this server" "$default_name"; opt_server_name="$answer"; }
    [ -n "$opt_server_name" ] || die "this host's name \"$refused_name\" is no server's name (1 to 63 letters, digits, - _ and dots): give one with --server-name, for instance --server-name $(offered_name "$refused_name")"
    if has_network; then return; fi
    case "$verb" in
        init)
            [ -n "$opt_owner" ] || { ask "Your Telegram username" ''; opt_owner="$answer"; }
            [ -n "$opt_owner" ] || die "init needs --owner @NAME"
            [ -n "$opt_bot_token" ] || { ask_secret "Token of your bot, from @BotFather (it is not shown)"; opt_bot_token="$answer"; }
            [ -n "$opt_bot_token" ] || die "init needs --bot-token-file PATH, or --bot-token - with the token on standard input"
            ;;
        join)
            [ -n "$opt_join" ] || { ask "The join:// link from /invite" ''; opt_join="$answer"; ! can_ask || opt_join="$(whole_link "$answer")"; }
            [ -n "$opt_join" ] || die "join needs --join LINK"
            ;;
    esac
    check_options
}
