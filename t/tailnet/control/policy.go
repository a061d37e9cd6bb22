// Copyright (C) The Tailgate authors

package main

import (
	"fmt"
	"net/netip"
	"slices"

	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
)

// grant is a grant of the tailnet policy file: sources get packets through to
// destinations ("ip"), capabilities ("app"), or both.  A selector is "*", a
// login, a group, a tag, a registered host name, a Service, an address or a
// prefix.
type grant struct {
	Src []string           `json:"src"`
	Dst []string           `json:"dst"`
	IP  []string           `json:"ip"`
	App tailcfg.PeerCapMap `json:"app"`
}

func checkGrants(grants []grant) error {
	for i, g := range grants {
		if len(g.Src) == 0 || len(g.Dst) == 0 {
			return fmt.Errorf("grant %d: \"src\" and \"dst\" are needed", i)
		}

		if len(g.IP) != 0 && !slices.Equal(g.IP, []string{"*"}) {
			return fmt.Errorf("grant %d: \"ip\" is [\"*\"] or absent", i)
		}
	}

	return nil
}

// filter compiles the grants to one node's packet filter.  Rules that name
// another destination are kept out, as a real control server does.  t.mu is
// held.
func (t *tailnet) filter(n *node) []tailcfg.FilterRule {
	own := t.ownPrefixes(n)
	rules := []tailcfg.FilterRule{}

	for _, g := range t.grants {
		src := t.prefixes(g.Src)

		var dst []netip.Prefix
		for _, p := range t.prefixes(g.Dst) {
			if p.Bits() == 0 || overlapsAny(p, own) {
				dst = append(dst, p)
			}
		}

		if len(src) == 0 || len(dst) == 0 {
			continue
		}

		srcIPs := make([]string, 0, len(src))
		for _, p := range src {
			srcIPs = append(srcIPs, p.String())
		}

		if len(g.IP) > 0 {
			rule := tailcfg.FilterRule{SrcIPs: srcIPs}
			for _, p := range dst {
				rule.DstPorts = append(rule.DstPorts, tailcfg.NetPortRange{
					IP: p.String(), Ports: tailcfg.PortRangeAny,
				})
			}
			rules = append(rules, rule)
		}

		if len(g.App) > 0 {
			rules = append(rules, tailcfg.FilterRule{
				SrcIPs:   srcIPs,
				CapGrant: []tailcfg.CapGrant{{Dsts: dst, CapMap: g.App}},
			})
		}
	}

	return rules
}

// ownPrefixes is every address that a node answers for.  t.mu is held.
func (t *tailnet) ownPrefixes(n *node) []netip.Prefix {
	own := slices.Concat(n.Addresses, n.routes)

	for _, s := range t.services {
		if slices.Contains(s.Hosts, n.hostname) {
			own = append(own, hostPrefixes(s.Addrs)...)
		}
	}

	return own
}

// prefixes resolves selectors; one that names nothing gives nothing.  t.mu is
// held.
func (t *tailnet) prefixes(selectors []string) []netip.Prefix {
	var out []netip.Prefix

	for _, sel := range selectors {
		if sel == "*" {
			out = append(out, tsaddr.AllIPv4(), tsaddr.AllIPv6())
			continue
		}

		if p, err := netip.ParsePrefix(sel); err == nil {
			out = append(out, p)
			continue
		}

		if a, err := netip.ParseAddr(sel); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}

		if s, ok := t.services[tailcfg.ServiceName(sel)]; ok {
			out = append(out, hostPrefixes(s.Addrs)...)
			continue
		}

		for _, n := range t.nodes {
			if t.selects(sel, n) {
				out = append(out, n.Addresses...)
			}
		}
	}

	return out
}

// selects reports whether a name stands for a node.  t.mu is held.
func (t *tailnet) selects(sel string, n *node) bool {
	if sel == n.hostname || slices.Contains(n.Tags, sel) {
		return true
	}

	if len(n.Tags) > 0 {
		return false
	}

	u := t.profile(n.User)

	return sel == u.LoginName || slices.Contains(u.Groups, sel)
}

func hostPrefixes(addrs []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(addrs))
	for _, a := range addrs {
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}

	return out
}

func overlapsAny(p netip.Prefix, others []netip.Prefix) bool {
	return slices.ContainsFunc(others, p.Overlaps)
}
