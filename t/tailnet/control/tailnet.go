// Copyright (C) The Tailgate authors

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// taggedDevices owns every tagged node, as in a real tailnet.
var taggedDevices = tailcfg.UserProfile{
	ID:          2147455555,
	LoginName:   "tagged-devices",
	DisplayName: "Tagged Devices",
}

var (
	errNoNode  = errors.New("no such node")
	errNoUser  = errors.New("no such user")
	errAuthKey = errors.New("invalid auth key")
)

// authKey is who a node that logs in with it belongs to.
type authKey struct {
	User string   `json:"user"`
	Tags []string `json:"tags"`
}

// service is a Tailscale Service: addresses that some nodes answer for.
type service struct {
	Addrs []netip.Addr `json:"addrs"`
	Hosts []string     `json:"hosts"`
}

// user is a person; the login is the key and never changes.
type user struct {
	ID      tailcfg.UserID `json:"id"`
	Login   string         `json:"login"`
	Name    string         `json:"name"`
	Picture string         `json:"picture"`
	Groups  []string       `json:"groups"`
}

// node is a machine that logged in.  The embedded Node is what its peers are
// shown, less what a grant or a Service adds.
type node struct {
	tailcfg.Node

	hostname string // as it registered: the admin's name for it
	hidden   bool   // not shown to peers
	sharee   bool   // of somebody that a node of ours was shared to
	routes   []netip.Prefix
	polls    int           // open map streams
	gone     chan struct{} // closed when the node is removed
}

// tailnet is all that the server knows.
type tailnet struct {
	mu       sync.Mutex
	domain   string
	users    []*user
	keys     map[string]authKey
	grants   []grant
	services map[tailcfg.ServiceName]service
	derp     *tailcfg.DERPMap
	nodes    []*node
	lastID   tailcfg.NodeID
	changed  chan struct{} // closed, and replaced, at every change
	machine  key.MachinePrivate
}

func readTailnet(file string) (*tailnet, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}

	var d struct {
		Domain   string                          `json:"domain"`
		Users    []*user                         `json:"users"`
		Keys     map[string]authKey              `json:"keys"`
		Grants   []grant                         `json:"grants"`
		Services map[tailcfg.ServiceName]service `json:"services"`
		DERP     *tailcfg.DERPMap                `json:"derp"`
	}

	if err := unmarshalStrict(b, &d); err != nil {
		return nil, err
	}

	t := &tailnet{
		domain:   d.Domain,
		users:    d.Users,
		keys:     d.Keys,
		grants:   d.Grants,
		services: d.Services,
		derp:     d.DERP,
		changed:  make(chan struct{}),
		machine:  key.NewMachine(),
	}

	for name, k := range t.keys {
		if _, err := t.user(k.User); k.User != "" && err != nil {
			return nil, fmt.Errorf("key %q: user %q: %w", name, k.User, err)
		}
	}

	return t, checkGrants(t.grants)
}

func unmarshalStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()

	return d.Decode(v)
}

// notify wakes every map stream.  t.mu is held.
func (t *tailnet) notify() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// user finds a person by login.  t.mu is held.
func (t *tailnet) user(login string) (*user, error) {
	for _, u := range t.users {
		if u.Login == login {
			return u, nil
		}
	}

	return nil, errNoUser
}

// profile is what nodes are told of a user.  t.mu is held.
func (t *tailnet) profile(id tailcfg.UserID) tailcfg.UserProfile {
	for _, u := range t.users {
		if u.ID == id {
			return tailcfg.UserProfile{
				ID:            u.ID,
				LoginName:     u.Login,
				DisplayName:   u.Name,
				ProfilePicURL: u.Picture,
				Groups:        slices.Clone(u.Groups),
			}
		}
	}

	return taggedDevices
}

// node finds a machine by the host name that it registered with.  t.mu is
// held.
func (t *tailnet) node(hostname string) (*node, error) {
	for _, n := range t.nodes {
		if n.hostname == hostname {
			return n, nil
		}
	}

	return nil, errNoNode
}

// nodeByKey finds a machine by its current key.  t.mu is held.
func (t *tailnet) nodeByKey(k key.NodePublic) *node {
	if k.IsZero() {
		return nil
	}

	for _, n := range t.nodes {
		if n.Key == k {
			return n
		}
	}

	return nil
}

// register lets a machine in, or renews the key of one that is in already.
func (t *tailnet) register(q *tailcfg.RegisterRequest,
	machine key.MachinePublic) (tailcfg.UserProfile, error) {

	t.mu.Lock()
	defer t.mu.Unlock()

	n := t.nodeByKey(q.NodeKey)
	if n == nil {
		n = t.nodeByKey(q.OldNodeKey)
	}

	if n == nil {
		var err error

		if n, err = t.admit(q, machine); err != nil {
			return tailcfg.UserProfile{}, err
		}
	}

	n.Key = q.NodeKey
	n.Cap = q.Version

	if q.Hostinfo != nil {
		n.Hostinfo = q.Hostinfo.View()
	}

	t.notify()

	return t.profile(n.User), nil
}

// admit makes a node of a machine that shows a good auth key.  t.mu is held.
func (t *tailnet) admit(q *tailcfg.RegisterRequest,
	machine key.MachinePublic) (*node, error) {

	if q.Auth == nil || q.Hostinfo == nil {
		return nil, errAuthKey
	}

	k, ok := t.keys[q.Auth.AuthKey]
	if !ok {
		return nil, errAuthKey
	}

	// A number is never given twice, so a removed node stays removed.
	t.lastID++
	id := t.lastID
	v4 := netip.AddrFrom4([4]byte{100, 64, byte(id >> 8), byte(id)})
	v6 := tsaddr.Tailscale4To6(v4)

	n := &node{
		Node: tailcfg.Node{
			ID:       id,
			StableID: tailcfg.StableNodeID(fmt.Sprintf("n%05dCNTRL", id)),
			Name:     fqdn(q.Hostinfo.Hostname, t.domain),
			Machine:  machine,
			Addresses: []netip.Prefix{
				netip.PrefixFrom(v4, v4.BitLen()),
				netip.PrefixFrom(v6, v6.BitLen()),
			},
			Created:           time.Now().UTC(),
			MachineAuthorized: true,
		},
		hostname: q.Hostinfo.Hostname,
		gone:     make(chan struct{}),
	}

	if err := t.own(n, k.User, k.Tags); err != nil {
		return nil, err
	}

	t.nodes = append(t.nodes, n)

	return n, nil
}

// own gives a node to a person, or to its tags.  t.mu is held.
func (t *tailnet) own(n *node, login string, tags []string) error {
	n.Tags = slices.Clone(tags)

	if len(tags) > 0 {
		n.User = taggedDevices.ID
		return nil
	}

	u, err := t.user(login)
	if err != nil {
		return err
	}

	n.User = u.ID

	return nil
}

// remove forgets a node; its map stream ends and it may not come back by its
// old key.  t.mu is held.
func (t *tailnet) remove(n *node) {
	t.nodes = slices.DeleteFunc(t.nodes, func(x *node) bool { return x == n })
	close(n.gone)
}

// online notes that a map stream of the node began (1) or ended (-1).
func (t *tailnet) online(n *node, step int) {
	t.mu.Lock()
	defer t.mu.Unlock()

	n.polls += step
	on := n.polls > 0
	n.Online = &on

	if !on {
		now := time.Now().UTC()
		n.LastSeen = &now
	}

	t.notify()
}

func fqdn(name, domain string) string {
	return name + "." + domain + "."
}
