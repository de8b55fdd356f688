package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
)

// maxFile is the most bytes that a file of accounts may have.
const maxFile = 64 << 20

// version is that of the file's form.
const version = 1

type document struct {
	Version  int             `json:"version"`
	Accounts []accountOnDisk `json:"accounts"`
}

type accountOnDisk struct {
	Account string         `json:"account"`
	Policy  string         `json:"policy"`
	Paid    bool           `json:"paid"`
	Changes []changeOnDisk `json:"changes"`
}

type changeOnDisk struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Policy string    `json:"policy"`
	Paid   bool      `json:"paid"`
}

func encode(accounts []Account) ([]byte, error) {
	d := document{Version: version, Accounts: make([]accountOnDisk, len(accounts))}
	for i, a := range accounts {
		row := accountOnDisk{Account: a.Name, Policy: a.Policy, Paid: a.Paid, Changes: make([]changeOnDisk, len(a.Changes))}
		for j, c := range a.Changes {
			row.Changes[j] = changeOnDisk(c)
		}
		d.Accounts[i] = row
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	if out.Len() > maxFile {
		return nil, fmt.Errorf("registry: %d accounts need %d bytes: a file holds %d; use a database", len(accounts), out.Len(), maxFile)
	}
	return out.Bytes(), nil
}

func decode(data []byte) ([]Account, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d bytes: it is another file", maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := checkKeys(data); err != nil {
		return nil, err
	}
	d := document{Version: -1}
	reader := json.NewDecoder(bytes.NewReader(data))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&d); err != nil {
		return nil, located(data, reader, err)
	}
	if _, err := reader.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document; keep the first", position(data, reader.InputOffset()))
	}
	switch {
	case d.Version == -1:
		return nil, fmt.Errorf("version missing: write \"version\": %d", version)
	case d.Version != version:
		return nil, fmt.Errorf("version %d: this program reads %d; use the one that wrote it", d.Version, version)
	case d.Accounts == nil:
		return nil, errors.New("accounts missing: write [] for none")
	}
	accounts := make([]Account, len(d.Accounts))
	seen := make(map[string]bool, len(accounts))
	var problems []error
	for i, row := range d.Accounts {
		a := Account{Name: row.Account, Policy: row.Policy, Paid: row.Paid}
		for _, c := range row.Changes {
			c.At = c.At.UTC()
			a.Changes = append(a.Changes, Change(c))
		}
		err := a.check()
		if seen[a.Name] {
			err = problem("account", a.Name, "given twice; keep one")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("accounts[%d]: %w", i, err))
		}
		seen[a.Name] = true
		accounts[i] = a
	}
	return accounts, errors.Join(problems...)
}

// checkKeys refuses an object that has a key twice: package encoding/json would mix
// the two. What is not JSON is left to the reader.
func checkKeys(data []byte) error {
	reader := json.NewDecoder(bytes.NewReader(data))
	var open []map[string]bool // the keys of each object, nil for an array
	isKey := false
	for {
		token, err := reader.Token()
		if err != nil {
			return nil
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				open = append(open, make(map[string]bool))
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			isKey = len(open) > 0 && open[len(open)-1] != nil
			continue
		case string:
			if inObject && isKey {
				key := strings.ToLower(token)
				if open[len(open)-1][key] {
					return fmt.Errorf("%s: %q is given twice; keep one", position(data, reader.InputOffset()), mask.Phone(token))
				}
				open[len(open)-1][key] = true
				isKey = false
				continue
			}
		}
		isKey = inObject
	}
}

// located adds where in the data an error is.
func located(data []byte, reader *json.Decoder, err error) error {
	at := reader.InputOffset()
	syntax, kind := (*json.SyntaxError)(nil), (*json.UnmarshalTypeError)(nil)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		return fmt.Errorf("%s: %s cannot be a %s", position(data, kind.Offset), cmp.Or(kind.Field, "the file"), kind.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the file ends too soon: restore it from a backup", position(data, int64(len(data))))
	}
	return fmt.Errorf("%s: %w", position(data, at), err)
}

// position is the line of the data that an offset is in, counted from 1.
func position(data []byte, offset int64) string {
	before := data[:min(max(offset, 0), int64(len(data)))]
	return fmt.Sprintf("line %d", bytes.Count(before, []byte("\n"))+1)
}
