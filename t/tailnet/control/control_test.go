// Copyright (C) The Tailgate authors

package main

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// newTailnet is alice, bob and a tagged node, seen by the web server.
func newTailnet(t *testing.T) *tailnet {
	t.Helper()

	tn := &tailnet{
		domain: "tail.example",
		users: []*user{
			{ID: 1, Login: "alice@example.com", Groups: []string{"group:eng"}},
			{ID: 2, Login: "bob@example.com"},
		},
		keys: map[string]authKey{
			"alice": {User: "alice@example.com"},
			"bob":   {User: "bob@example.com"},
			"ci":    {Tags: []string{"tag:ci"}},
			"web":   {Tags: []string{"tag:web"}},
		},
		grants: []grant{
			{Src: []string{"*"}, Dst: []string{"*"}, IP: []string{"*"}},
			{
				Src: []string{"group:eng"},
				Dst: []string{"tag:web"},
				App: tailcfg.PeerCapMap{"example/cap": {`{"role":"admin"}`}},
			},
		},
		changed: make(chan struct{}),
	}

	for _, name := range []string{"alice", "bob", "ci", "web"} {
		_, err := tn.register(&tailcfg.RegisterRequest{
			NodeKey:  key.NewNode().Public(),
			Hostinfo: &tailcfg.Hostinfo{Hostname: name},
			Auth:     &tailcfg.RegisterResponseAuth{AuthKey: name},
		}, key.NewMachine().Public())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}

	return tn
}

func (t *tailnet) mustNode(tt *testing.T, hostname string) *node {
	tt.Helper()

	n, err := t.node(hostname)
	if err != nil {
		tt.Fatalf("%s: %v", hostname, err)
	}

	return n
}

// after gives the delta that web is sent when change is done.
func after(t *testing.T, tn *tailnet, change func()) *tailcfg.MapResponse {
	t.Helper()

	web := tn.mustNode(t, "web")
	old := tn.netmap(web)
	change()

	return delta(old, tn.netmap(web))
}

// fields names what a delta holds.
func fields(res *tailcfg.MapResponse) []string {
	if res == nil {
		return nil
	}

	names := []string{}
	v := reflect.ValueOf(*res)

	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Name)
		}
	}

	return names
}

func TestDelta(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, tn *tailnet)
		want   []string
	}{
		{"nothing", func(*testing.T, *tailnet) {}, nil},

		{"capability", func(t *testing.T, tn *tailnet) {
			tn.grants = slices.Clone(tn.grants)
			tn.grants[1].App = tailcfg.PeerCapMap{"example/cap": {`{}`}}
		}, []string{"PacketFilters"}},

		{"all grants gone", func(t *testing.T, tn *tailnet) {
			tn.grants = nil
		}, []string{"PacketFilters"}},

		{"display name", func(t *testing.T, tn *tailnet) {
			tn.users[0].Name = "Alice"
		}, []string{"UserProfiles"}},

		{"retag", func(t *testing.T, tn *tailnet) {
			n := tn.mustNode(t, "ci")
			if err := tn.own(n, "", []string{"tag:db"}); err != nil {
				t.Fatal(err)
			}
		}, []string{"PeersChanged"}},

		{"move to another user", func(t *testing.T, tn *tailnet) {
			n := tn.mustNode(t, "ci")
			if err := tn.own(n, "bob@example.com", nil); err != nil {
				t.Fatal(err)
			}
		}, []string{"PeersChanged"}},

		{"key expiry", func(t *testing.T, tn *tailnet) {
			tn.mustNode(t, "bob").KeyExpiry = time.Unix(2e9, 0).UTC()
		}, []string{"PeersChangedPatch"}},

		{"home relay and endpoints", func(t *testing.T, tn *tailnet) {
			n := tn.mustNode(t, "bob")
			n.HomeDERP = 900
			n.Endpoints = []netip.AddrPort{
				netip.MustParseAddrPort("192.0.2.1:41641"),
			}
		}, []string{"PeersChangedPatch"}},

		{"expired", func(t *testing.T, tn *tailnet) {
			tn.mustNode(t, "bob").Expired = true
		}, []string{"PeersChanged"}},

		{"removed", func(t *testing.T, tn *tailnet) {
			tn.remove(tn.mustNode(t, "bob"))
		}, []string{"PeersRemoved"}},

		{"hidden", func(t *testing.T, tn *tailnet) {
			tn.mustNode(t, "bob").hidden = true
		}, []string{"PeersRemoved"}},

		{"what the node said of itself", func(t *testing.T, tn *tailnet) {
			tn.update(tn.mustNode(t, "web"), &tailcfg.MapRequest{
				Hostinfo: &tailcfg.Hostinfo{OS: "linux"},
				Endpoints: []netip.AddrPort{
					netip.MustParseAddrPort("192.0.2.1:41641"),
				},
			})
		}, nil},

		{"rename of the node itself", func(t *testing.T, tn *tailnet) {
			tn.mustNode(t, "web").Name = "www.tail.example."
		}, []string{"Node"}},

		{"Service hosted by the node itself", func(t *testing.T, tn *tailnet) {
			tn.services = map[tailcfg.ServiceName]service{"svc:wiki": {
				Addrs: []netip.Addr{netip.MustParseAddr("100.70.0.1")},
				Hosts: []string{"web"},
			}}
		}, []string{"Node"}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tn := newTailnet(t)
			got := fields(after(t, tn, func() { tt.change(t, tn) }))

			if !slices.Equal(got, tt.want) {
				t.Errorf("delta holds %q, want %q", got, tt.want)
			}
		})
	}
}

// A filter without rules has to be sent as one that closes everything, for an
// empty list is left out of the JSON and would mean "unchanged".
func TestEmptyFilter(t *testing.T) {
	b, err := json.Marshal(&tailcfg.MapResponse{
		PacketFilters: (&netmap{}).filters(),
	})
	if err != nil {
		t.Fatal(err)
	}

	if want := `{"PacketFilters":{"base":null}}`; string(b) != want {
		t.Errorf("%s, want %s", b, want)
	}
}

// What was taken away from a peer has no short form.
func TestPatchNotPossible(t *testing.T) {
	was := &tailcfg.Node{
		ID:        1,
		HomeDERP:  900,
		KeyExpiry: time.Unix(2e9, 0),
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1")},
	}

	for name, change := range map[string]func(*tailcfg.Node){
		"HomeDERP":  func(n *tailcfg.Node) { n.HomeDERP = 0 },
		"KeyExpiry": func(n *tailcfg.Node) { n.KeyExpiry = time.Time{} },
		"Endpoints": func(n *tailcfg.Node) { n.Endpoints = nil },
		"Name":      func(n *tailcfg.Node) { n.Name = "other." },
	} {
		now := was.Clone()
		change(now)

		if c := patch(was, now); c != nil {
			t.Errorf("%s: patched: %+v", name, c)
		}
	}
}

// A tagged node is nobody's: neither its former owner's login nor a group
// stands for it.
func TestSelectors(t *testing.T) {
	tn := newTailnet(t)
	addr := func(name string) netip.Prefix {
		return tn.mustNode(t, name).Addresses[0]
	}

	for sel, want := range map[string][]string{
		"alice@example.com": {"alice"},
		"group:eng":         {"alice"},
		"tag:ci":            {"ci"},
		"ci":                {"ci"},
		"tagged-devices":    nil,
		"group:none":        nil,
	} {
		got := tn.prefixes([]string{sel})

		if len(got) != 2*len(want) {
			t.Errorf("%s: %v, want %q", sel, got, want)
			continue
		}

		for _, name := range want {
			if !slices.Contains(got, addr(name)) {
				t.Errorf("%s: %v lacks %s", sel, got, name)
			}
		}
	}
}

// An auth key that does not exist lets nobody in, nor does the key of a node
// that was removed.
func TestRegisterRefused(t *testing.T) {
	tn := newTailnet(t)
	gone := tn.mustNode(t, "bob")
	tn.remove(gone)

	for name, q := range map[string]*tailcfg.RegisterRequest{
		"unknown auth key": {
			NodeKey:  key.NewNode().Public(),
			Hostinfo: &tailcfg.Hostinfo{Hostname: "x"},
			Auth:     &tailcfg.RegisterResponseAuth{AuthKey: "nope"},
		},
		"no auth key": {
			NodeKey:  key.NewNode().Public(),
			Hostinfo: &tailcfg.Hostinfo{Hostname: "x"},
		},
		"removed node": {
			NodeKey:  gone.Key,
			Hostinfo: &tailcfg.Hostinfo{Hostname: "bob"},
		},
	} {
		if _, err := tn.register(q, key.NewMachine().Public()); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
}
