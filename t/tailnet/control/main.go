// Copyright (C) The Tailgate authors

// Control is a small coordination server for tests: one tailnet, described
// by one JSON file and changed at run time through an admin Unix socket.
// Every node is told what changed and nothing else.  README.md has the file's
// form and the admin requests.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)

	listen := flag.String("listen", "127.0.0.1:8080",
		"`address` that nodes log in to")
	admin := flag.String("admin", "", "admin Unix socket's `path`")
	file := flag.String("tailnet", "", "JSON `file` that describes the tailnet")
	flag.Parse()

	if err := run(*listen, *admin, *file); err != nil {
		log.Fatal(err)
	}
}

func run(listen, admin, file string) error {
	t, err := readTailnet(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}

	control, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}

	// The admin socket appears last: whoever waits for it finds both.
	if err := os.Remove(admin); err != nil && !os.IsNotExist(err) {
		return err
	}

	ctl, err := net.Listen("unix", admin)
	if err != nil {
		return err
	}

	failed := make(chan error)
	go func() { failed <- http.Serve(ctl, adminHandler(t)) }()
	go func() { failed <- http.Serve(control, controlHandler(t)) }()

	return <-failed
}
