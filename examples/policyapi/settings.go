package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/wapace/wapace/examples/internal/flags"
	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/internal/mask"
)

// settings are what the flags ask for.
type settings struct {
	addr      string
	file      string
	instances instances
}

func readSettings(args []string, help io.Writer) (settings, error) {
	s := settings{instances: make(instances)}
	set := flag.NewFlagSet("policyapi", flag.ContinueOnError)
	set.StringVar(&s.addr, "addr", "127.0.0.1:8080", "listen on `HOST:PORT` of this machine; port 0 is any")
	set.StringVar(&s.file, "file", "accounts.json", "keep what is chosen in `FILE`")
	// An error of these functions would be shown with the token.
	var free, paid []string
	set.Func("free", "let `ID=TOKEN` in, without a paid plan; may be given again (default Your_Instance_ID=YOUR_ACCESS_TOKEN)",
		func(text string) error { free = append(free, text); return nil })
	set.Func("paid", "let `ID=TOKEN` in, with a paid plan; may be given again",
		func(text string) error { paid = append(paid, text); return nil })
	if err := flags.Parse(set, args, help, "-file FILE"); err != nil {
		return s, err
	}
	if s.file == "" {
		return s, errors.New(`-file "": name a file`)
	}
	if err := checkLoopback(s.addr); err != nil {
		return s, err
	}
	if len(free)+len(paid) == 0 {
		free = []string{"Your_Instance_ID=YOUR_ACCESS_TOKEN"}
	}
	for i, text := range slices.Concat(free, paid) {
		if err := s.instances.add(text, i >= len(free)); err != nil {
			return s, err
		}
	}
	return s, nil
}

// checkLoopback refuses an address that other machines reach: tokens would go there
// in clear text.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr %q: write it as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("-addr %q: use 127.0.0.1, ::1 or localhost, behind a server that speaks TLS", addr)
	}
	return nil
}

// instances are those that may ask, by their ids.
type instances map[string]instance

type instance struct {
	token [sha256.Size]byte // the token's hash: all are compared in the same time
	paid  bool
}

// add adds an instance as a flag gives it. Its error does not show the token.
func (known instances) add(text string, paid bool) error {
	id, token, ok := strings.Cut(text, "=")
	if !ok || id == "" || token == "" {
		return errors.New("-free or -paid: write it as ID=TOKEN")
	}
	if _, twice := known[id]; twice {
		return fmt.Errorf("-free or -paid: %q is given twice; keep one", mask.Phone(id))
	}
	known[id] = instance{sha256.Sum256([]byte(token)), paid}
	return nil
}

// authenticate is the API's [headers.Authenticator].
func (known instances) authenticate(_ context.Context, token, id string) (headers.Caller, error) {
	of, found := known[id]
	given := sha256.Sum256([]byte(token))
	if same := subtle.ConstantTimeCompare(given[:], of.token[:]) == 1; !same || !found {
		return headers.Caller{}, headers.ErrUnauthorized
	}
	return headers.Caller{Account: id}, nil
}
