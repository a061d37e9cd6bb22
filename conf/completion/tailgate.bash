# bash completion for tailgate(1)

_tailgate()
{
    local word=${COMP_WORDS[COMP_CWORD]}
    local previous=${COMP_WORDS[COMP_CWORD - 1]}

    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "whois status acl lint links policy probe devnet --help \
            --version" -- "$word")
        return
    fi

    case "$previous" in
        --dialect)
            mapfile -t COMPREPLY < <(compgen -W "tailscale headscale" -- \
                "$word")
            return
            ;;
        --via)
            mapfile -t COMPREPLY < <(compgen -W "direct service svc: funnel" \
                -- "$word")
            return
            ;;
        --socket | --control | --netmap | --policy | --whois | --self | \
            --peers | --log | --junit | --textfile | --cacert | \
            --file)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
    esac

    case "${COMP_WORDS[1]}" in
        whois)
            mapfile -t COMPREPLY < <(compgen -W \
                "--help --json --service --socket" -- "$word")
            ;;
        status)
            mapfile -t COMPREPLY < <(compgen -W \
                "--help --json --socket --authd --nginx" -- "$word")
            ;;
        acl)
            if [ "$COMP_CWORD" -eq 2 ]; then
                mapfile -t COMPREPLY < <(compgen -W \
                    "check eval ssh who what diff test --help" -- "$word")
                return
            fi

            mapfile -t COMPREPLY < <(compgen -W \
                "--help --json --netmap --policy --src --dst --user --socket \
                --domain --dialect" -f -- "$word")
            ;;
        lint)
            mapfile -t COMPREPLY < <(compgen -W \
                "--help --json --ignore --nginx" -f -- "$word")
            ;;
        links)
            if [ "$COMP_CWORD" -eq 2 ]; then
                mapfile -t COMPREPLY < <(compgen -W \
                    "list get set rm rename history restore resolve import \
                    export apply --help" -- "$word")
                return
            fi

            mapfile -t COMPREPLY < <(compgen -W \
                "--help --json --server --socket --cacert --owner --tag --sort \
                --create --owners --anyone --description --tags --expires \
                --drop --before --url --format --upsert --dry-run --file \
                --prune" -f -- "$word")
            ;;
        policy)
            if [ "$COMP_CWORD" -eq 2 ]; then
                mapfile -t COMPREPLY < <(compgen -W \
                    "check test explain who what diff apply --help" -- "$word")
                return
            fi

            mapfile -t COMPREPLY < <(compgen -W \
                "--help --json --policy --no-policy --inline --as --node \
                --addr --whois --self --from --peers --no-peers --socket \
                --request --via --method-override --at --log --junit --to \
                --dry-run --nginx --nginx-conf --nginx-status --no-nginx \
                --authd --no-authd" -f -- "$word")
            ;;
        probe)
            mapfile -t COMPREPLY < <(compgen -W \
                "--help --url --expect-login --expect-status --expect-header \
                --login-json --login-header --forge --timeout --warning \
                --textfile --name --connect-to --source --cacert" -- "$word")
            ;;
        devnet)
            if [ "${COMP_WORDS[2]}" = ctl ]; then
                mapfile -t COMPREPLY < <(compgen -W \
                    "--help --control add add-user authorize caps count \
                    expire groups list move name nonsense normal online \
                    remove rename resend restart retag share sign silent \
                    slow state" -- "$word")
            else
                mapfile -t COMPREPLY < <(compgen -W \
                    "ctl --help --socket --control" -f -- "$word")
            fi
            ;;
    esac
}

complete -o filenames -F _tailgate tailgate
