// Copyright (C) The Tailgate authors

package main

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"tailscale.com/tailcfg"
)

// netmap is what one node knows, or is about to know.
type netmap struct {
	self   *tailcfg.Node
	peers  map[tailcfg.NodeID]*tailcfg.Node
	users  map[tailcfg.UserID]tailcfg.UserProfile
	filter []tailcfg.FilterRule
}

// netmap takes a picture for a node; nothing in it changes later.  t.mu is
// held.
func (t *tailnet) netmap(n *node) *netmap {
	m := &netmap{
		self:   t.wireNode(n),
		peers:  map[tailcfg.NodeID]*tailcfg.Node{},
		users:  map[tailcfg.UserID]tailcfg.UserProfile{},
		filter: t.filter(n),
	}

	// Only the node itself is told which Services it may answer for.
	if hosted := t.hosted(n); len(hosted) > 0 {
		m.self.CapMap = maps.Clone(m.self.CapMap)
		if m.self.CapMap == nil {
			m.self.CapMap = tailcfg.NodeCapMap{}
		}

		b, _ := json.Marshal(hosted) // a map of addresses always marshals
		m.self.CapMap[tailcfg.NodeAttrServiceHost] =
			[]tailcfg.RawMessage{tailcfg.RawMessage(b)}
	}

	m.users[n.User] = t.profile(n.User)

	for _, p := range t.nodes {
		if p == n || p.hidden {
			continue
		}

		m.peers[p.ID] = t.wireNode(p)
		m.users[p.User] = t.profile(p.User)

		if p.Sharer != 0 {
			m.users[p.Sharer] = t.profile(p.Sharer)
		}
	}

	return m
}

// wireNode is a node as it is sent.  t.mu is held.
func (t *tailnet) wireNode(n *node) *tailcfg.Node {
	w := n.Node.Clone()
	w.AllowedIPs = t.ownPrefixes(n)
	w.PrimaryRoutes = slices.Clone(n.routes)

	if w.Hostinfo.Valid() {
		h := w.Hostinfo.AsStruct()
		h.ShareeNode = n.sharee // which a node does not know of itself

		// What a node measures of its network changes by the second, and is
		// for nobody but us; the relay that it chose is in HomeDERP.
		h.NetInfo = nil
		w.Hostinfo = h.View()
	}

	return w
}

// hosted lists the Services of a node.  t.mu is held.
func (t *tailnet) hosted(n *node) tailcfg.ServiceIPMappings {
	hosted := tailcfg.ServiceIPMappings{}

	for name, s := range t.services {
		if slices.Contains(s.Hosts, n.hostname) {
			hosted[name] = s.Addrs
		}
	}

	return hosted
}

// first is the answer that opens a map stream: all of it.
func (t *tailnet) first(m *netmap) *tailcfg.MapResponse {
	derp := t.derp
	if derp == nil {
		derp = &tailcfg.DERPMap{}
	}

	return &tailcfg.MapResponse{
		Node:          m.self,
		Peers:         sortedPeers(slices.Collect(maps.Values(m.peers))),
		UserProfiles:  sortedUsers(slices.Collect(maps.Values(m.users))),
		PacketFilters: m.filters(),
		DERPMap:       derp,
		Domain:        t.domain,
		DNSConfig: &tailcfg.DNSConfig{
			Proxied: true,
			Domains: []string{t.domain},
		},
		CollectServices: "true",
	}
}

// filters is the packet filter under the name that a real control server
// gives it; no rules at all are a nil, which closes everything.
func (m *netmap) filters() map[string][]tailcfg.FilterRule {
	if len(m.filter) == 0 {
		return map[string][]tailcfg.FilterRule{"base": nil}
	}

	return map[string][]tailcfg.FilterRule{"base": m.filter}
}

// delta is what changed from one picture to the next; nil when nothing did.
// A change of a grant alone is a packet filter and no peer, a change of a
// person alone is a profile and no peer, as with a real control server.
func delta(old, now *netmap) *tailcfg.MapResponse {
	res := &tailcfg.MapResponse{}
	changed := false

	if selfChanged(old.self, now.self) {
		res.Node = now.self
		changed = true
	}

	if !reflect.DeepEqual(old.filter, now.filter) {
		res.PacketFilters = now.filters()
		changed = true
	}

	for id, u := range now.users {
		if was, ok := old.users[id]; !ok || !reflect.DeepEqual(was, u) {
			res.UserProfiles = append(res.UserProfiles, u)
			changed = true
		}
	}

	for id, p := range now.peers {
		was, ok := old.peers[id]
		if ok && reflect.DeepEqual(was, p) {
			continue
		}

		if c := patch(was, p); c != nil {
			res.PeersChangedPatch = append(res.PeersChangedPatch, c)
		} else {
			res.PeersChanged = append(res.PeersChanged, p)
		}

		changed = true
	}

	for id := range old.peers {
		if _, ok := now.peers[id]; !ok {
			res.PeersRemoved = append(res.PeersRemoved, id)
			changed = true
		}
	}

	if !changed {
		return nil
	}

	sortedPeers(res.PeersChanged)
	sortedUsers(res.UserProfiles)
	slices.Sort(res.PeersRemoved)
	slices.SortFunc(res.PeersChangedPatch, func(a, b *tailcfg.PeerChange) int {
		return cmp.Compare(a.NodeID, b.NodeID)
	})

	return res
}

// selfChanged reports whether a node has to be told of a change of itself,
// which makes it build its whole map anew; what it said itself is no news.
func selfChanged(was, now *tailcfg.Node) bool {
	said := was.Clone()
	said.Hostinfo = now.Hostinfo
	said.Key, said.DiscoKey = now.Key, now.DiscoKey
	said.Endpoints = now.Endpoints
	said.HomeDERP, said.Cap = now.HomeDERP, now.Cap
	said.Online, said.LastSeen = now.Online, now.LastSeen

	return !reflect.DeepEqual(said, now)
}

// patch is the short form of a change of a peer, for the fields that have one;
// nil when something else changed too.
func patch(was, p *tailcfg.Node) *tailcfg.PeerChange {
	if was == nil {
		return nil
	}

	// Absent in a patch means unchanged: what was taken away has no short form.
	if p.KeyExpiry.IsZero() && !was.KeyExpiry.IsZero() ||
		len(p.Endpoints) == 0 && len(was.Endpoints) > 0 ||
		p.HomeDERP == 0 && was.HomeDERP != 0 {

		return nil
	}

	rest := was.Clone()
	rest.HomeDERP, rest.Cap = p.HomeDERP, p.Cap
	rest.Endpoints = p.Endpoints
	rest.Key, rest.DiscoKey = p.Key, p.DiscoKey
	rest.Online, rest.LastSeen = p.Online, p.LastSeen
	rest.KeyExpiry = p.KeyExpiry

	if !reflect.DeepEqual(rest, p) {
		return nil
	}

	c := &tailcfg.PeerChange{NodeID: p.ID}

	if was.HomeDERP != p.HomeDERP {
		c.DERPRegion = p.HomeDERP
	}

	if was.Cap != p.Cap {
		c.Cap = p.Cap
	}

	if !slices.Equal(was.Endpoints, p.Endpoints) {
		c.Endpoints = p.Endpoints
	}

	if was.Key != p.Key {
		c.Key = &p.Key
	}

	if was.DiscoKey != p.DiscoKey {
		c.DiscoKey = &p.DiscoKey
	}

	if !reflect.DeepEqual(was.Online, p.Online) {
		c.Online = p.Online
	}

	if !reflect.DeepEqual(was.LastSeen, p.LastSeen) {
		c.LastSeen = p.LastSeen
	}

	if !was.KeyExpiry.Equal(p.KeyExpiry) {
		c.KeyExpiry = &p.KeyExpiry
	}

	return c
}

func sortedPeers(peers []*tailcfg.Node) []*tailcfg.Node {
	slices.SortFunc(peers, func(a, b *tailcfg.Node) int {
		return cmp.Compare(a.ID, b.ID)
	})

	return peers
}

func sortedUsers(users []tailcfg.UserProfile) []tailcfg.UserProfile {
	slices.SortFunc(users, func(a, b tailcfg.UserProfile) int {
		return cmp.Compare(a.ID, b.ID)
	})

	return users
}
