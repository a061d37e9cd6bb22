// Copyright (C) The Tailgate authors

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tailscale.com/tailcfg"
)

// nodeChange is the body of PATCH /nodes/HOST; an absent field stays as it is.
type nodeChange struct {
	Name       *string             `json:"name"`
	Domain     *string             `json:"domain"`
	User       *string             `json:"user"`
	Tags       *[]string           `json:"tags"`
	Sharer     *string             `json:"sharer"`
	Sharee     *bool               `json:"sharee"`
	KeyExpiry  *time.Time          `json:"key_expiry"`
	Expired    *bool               `json:"expired"`
	Authorized *bool               `json:"authorized"`
	Unsigned   *bool               `json:"unsigned"`
	Hidden     *bool               `json:"hidden"`
	Routes     *[]netip.Prefix     `json:"routes"`
	Attrs      *tailcfg.NodeCapMap `json:"attrs"`
}

// adminHandler is what a test talks to.  Every request that changes something
// answers 204 once the nodes' streams have been woken.
func adminHandler(t *tailnet) http.Handler {
	m := http.NewServeMux()

	m.HandleFunc("GET /nodes", t.adminNodes)
	m.HandleFunc("PATCH /nodes/{host}", t.change(t.changeNode))
	m.HandleFunc("DELETE /nodes/{host}", t.change(t.removeNode))
	m.HandleFunc("PUT /users/{login}", t.change(t.putUser))
	m.HandleFunc("PUT /grants", t.change(t.putGrants))
	m.HandleFunc("PUT /services", t.change(t.putServices))

	return m
}

func (t *tailnet) adminNodes(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()

	nodes := map[string]*tailcfg.Node{}
	for _, n := range t.nodes {
		nodes[n.hostname] = t.wireNode(n)
	}

	writeJSON(w, nodes)
}

// change wraps a request that changes the tailnet: under the lock, answered
// with 204 or with the reason why not.
func (t *tailnet) change(
	do func(r *http.Request, body []byte) error) http.HandlerFunc {

	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}

		t.mu.Lock()
		defer t.mu.Unlock()

		if err := do(r, body); err != nil {
			status := http.StatusBadRequest
			if errors.Is(err, errNoNode) {
				status = http.StatusNotFound
			}
			http.Error(w, err.Error(), status)
			return
		}

		t.notify()
		w.WriteHeader(http.StatusNoContent)
	}
}

func (t *tailnet) changeNode(r *http.Request, body []byte) error {
	n, err := t.node(r.PathValue("host"))
	if err != nil {
		return err
	}

	var c nodeChange
	if err := unmarshalStrict(body, &c); err != nil {
		return err
	}

	if err := t.changeOwner(n, &c); err != nil {
		return err
	}

	name, domain, _ := strings.Cut(strings.TrimSuffix(n.Name, "."), ".")
	set(&name, c.Name)
	set(&domain, c.Domain)
	n.Name = fqdn(name, domain)

	set(&n.KeyExpiry, c.KeyExpiry)
	set(&n.Expired, c.Expired)
	set(&n.MachineAuthorized, c.Authorized)
	set(&n.UnsignedPeerAPIOnly, c.Unsigned)
	set(&n.hidden, c.Hidden)
	set(&n.sharee, c.Sharee)
	set(&n.routes, c.Routes)
	set(&n.CapMap, c.Attrs)

	return nil
}

// changeOwner moves a node to another person or under other tags.  t.mu is
// held.
func (t *tailnet) changeOwner(n *node, c *nodeChange) error {
	if c.Sharer != nil {
		n.Sharer = 0

		if *c.Sharer != "" {
			u, err := t.user(*c.Sharer)
			if err != nil {
				return fmt.Errorf("sharer %q: %w", *c.Sharer, err)
			}
			n.Sharer = u.ID
		}
	}

	if c.User == nil && c.Tags == nil {
		return nil
	}

	login, tags := t.profile(n.User).LoginName, n.Tags
	set(&login, c.User)
	set(&tags, c.Tags)

	if err := t.own(n, login, tags); err != nil {
		return fmt.Errorf("user %q: %w", login, err)
	}

	return nil
}

func (t *tailnet) removeNode(r *http.Request, body []byte) error {
	n, err := t.node(r.PathValue("host"))
	if err != nil {
		return err
	}

	t.remove(n)

	return nil
}

// putUser adds a person, or replaces all but the number of one.
func (t *tailnet) putUser(r *http.Request, body []byte) error {
	u := &user{}
	if err := unmarshalStrict(body, u); err != nil {
		return err
	}

	u.Login = r.PathValue("login")

	if was, err := t.user(u.Login); err == nil {
		u.ID = was.ID
		*was = *u
		return nil
	}

	taken := func(x *user) bool { return x.ID == u.ID }
	if u.ID == 0 || u.ID == taggedDevices.ID ||
		slices.ContainsFunc(t.users, taken) {

		return fmt.Errorf("user %q needs an \"id\" of its own", u.Login)
	}

	t.users = append(t.users, u)

	return nil
}

func (t *tailnet) putGrants(r *http.Request, body []byte) error {
	var g []grant
	if err := unmarshalStrict(body, &g); err != nil {
		return err
	}

	if err := checkGrants(g); err != nil {
		return err
	}

	t.grants = g

	return nil
}

func (t *tailnet) putServices(r *http.Request, body []byte) error {
	var s map[tailcfg.ServiceName]service
	if err := unmarshalStrict(body, &s); err != nil {
		return err
	}

	t.services = s

	return nil
}

// set takes over a value that is there.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
