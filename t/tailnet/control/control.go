// Copyright (C) The Tailgate authors

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"log"
	"net/http"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/net/http2"

	"tailscale.com/control/controlhttp/controlhttpserver"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

const (
	// keepAlive is well under the two minutes that a node waits for a word.
	keepAlive = 50 * time.Second

	// burst is how long a change waits for others that come with it.
	burst = 10 * time.Millisecond

	// maxRequest bounds what a node may send.
	maxRequest = 1 << 20
)

type machineKey struct{}

// controlHandler speaks the protocol of nodes: the server's key in plain HTTP,
// then HTTP/2 inside Noise.
func controlHandler(t *tailnet) http.Handler {
	inner := http.NewServeMux()
	inner.HandleFunc("POST /machine/register", t.serveRegister)
	inner.HandleFunc("POST /machine/map", t.serveMap)

	// Logs, health and the like: nothing that a test needs.
	inner.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})

	outer := http.NewServeMux()
	outer.HandleFunc("GET /key", t.serveKey)
	outer.HandleFunc("/ts2021", func(w http.ResponseWriter, r *http.Request) {
		c, err := controlhttpserver.AcceptHTTP(r.Context(), w, r, t.machine,
			nil)
		if err != nil {
			log.Printf("noise handshake with %s failed: %v", r.RemoteAddr, err)
			return
		}
		defer c.Close()

		ctx := context.WithValue(r.Context(), machineKey{}, c.Peer())
		(&http2.Server{}).ServeConn(c, &http2.ServeConnOpts{
			Context:    ctx,
			BaseConfig: &http.Server{Handler: inner},
		})
	})

	return outer
}

func (t *tailnet) serveKey(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, &tailcfg.OverTLSPublicKeyResponse{PublicKey: t.machine.Public()})
}

func (t *tailnet) serveRegister(w http.ResponseWriter, r *http.Request) {
	var q tailcfg.RegisterRequest

	if !readJSON(w, r, &q) {
		return
	}

	machine, _ := r.Context().Value(machineKey{}).(key.MachinePublic)

	u, err := t.register(&q, machine)
	if err != nil {
		writeJSON(w, &tailcfg.RegisterResponse{Error: err.Error()})
		return
	}

	writeJSON(w, &tailcfg.RegisterResponse{
		User: tailcfg.User{ID: u.ID, DisplayName: u.DisplayName},
		Login: tailcfg.Login{
			ID:          tailcfg.LoginID(u.ID),
			LoginName:   u.LoginName,
			DisplayName: u.DisplayName,
		},
		MachineAuthorized: true,
	})
}

// serveMap takes what a node says of itself or streams what it should know.
func (t *tailnet) serveMap(w http.ResponseWriter, r *http.Request) {
	var q tailcfg.MapRequest

	if !readJSON(w, r, &q) {
		return
	}

	t.mu.Lock()
	n := t.nodeByKey(q.NodeKey)
	if n != nil {
		t.update(n, &q)
	}
	t.mu.Unlock()

	if n == nil {
		http.Error(w, "node not found", http.StatusNotFound)
		return
	}

	if q.Stream {
		t.stream(w, r, n, q.Compress == "zstd")
	}
}

// update stores what a node says of itself.  t.mu is held.
func (t *tailnet) update(n *node, q *tailcfg.MapRequest) {
	if h := q.Hostinfo; h != nil {
		n.Hostinfo = h.View()

		// A peer without a home relay cannot be called before it calls.
		if ni := h.NetInfo; ni != nil && ni.PreferredDERP != 0 {
			n.HomeDERP = ni.PreferredDERP
		}
	}

	if !q.Stream && !q.ReadOnly {
		n.Endpoints = q.Endpoints
		n.DiscoKey = q.DiscoKey
	}

	n.Cap = q.Version
	t.notify()
}

// stream sends the whole map once, and then only what changed.
func (t *tailnet) stream(w http.ResponseWriter, r *http.Request, n *node,
	compress bool) {

	t.online(n, 1)
	defer t.online(n, -1)

	t.mu.Lock()
	sent := t.netmap(n)
	res := t.first(sent)
	changed := t.changed
	t.mu.Unlock()

	alive := time.NewTicker(keepAlive)
	defer alive.Stop()

	for {
		if res != nil {
			if err := writeMap(w, res, compress); err != nil {
				return
			}
			res = nil
		}

		select {
		case <-r.Context().Done():
			return

		case <-n.gone:
			return

		case <-alive.C:
			res = &tailcfg.MapResponse{KeepAlive: true}

		case <-changed:
			time.Sleep(burst)

			t.mu.Lock()
			now := t.netmap(n)
			changed = t.changed
			t.mu.Unlock()

			res = delta(sent, now)
			sent = now
		}
	}
}

var zstdEncoder, _ = zstd.NewWriter(nil) // fails for bad options alone

// writeMap sends one message of a map stream: its length, then its JSON.
func writeMap(w http.ResponseWriter, res *tailcfg.MapResponse,
	compress bool) error {

	now := time.Now().UTC()
	res.ControlTime = &now

	b, err := json.Marshal(res)
	if err != nil {
		return err
	}

	if compress {
		b = zstdEncoder.EncodeAll(b, nil)
	}

	msg := binary.LittleEndian.AppendUint32(nil, uint32(len(b)))

	if _, err := w.Write(append(msg, b...)); err != nil {
		return err
	}

	return http.NewResponseController(w).Flush()
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	body := http.MaxBytesReader(w, r.Body, maxRequest)

	if err := json.NewDecoder(body).Decode(v); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}

	return true
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")

	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Printf("answer not written: %v", err)
	}
}
