package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep the JSON of a policy may nest. A good one nests 4 deep.
const maxDepth = 16

const tooLarge = "use at most 1 MiB"

// A node is one value of a JSON text. Unlike a map it keeps the order of an
// object's members and those that are given twice.
type node struct {
	token   json.Token // a string, json.Number, bool or nil, or the opening delimiter
	members []member   // of an object
	items   []*node    // of an array
}

type member struct {
	name  string
	value *node
}

func (n *node) isObject() bool { return n.token == json.Delim('{') }
func (n *node) isArray() bool  { return n.token == json.Delim('[') }

// raw is a value that an error shows as it stands, without quotes.
type raw string

// show is the value as an error shows it.
func (n *node) show() any {
	switch t := n.token.(type) {
	case nil:
		return raw("null")
	case json.Delim:
		if t == '{' {
			return raw("an object")
		}
		return raw("a list")
	}
	return n.token
}

// parse reads data as one JSON value.
func parse(data []byte) (*node, error) {
	var found problems
	if len(data) > maxJSON {
		found.add("", raw("too long"), tooLarge)
		return nil, found.err()
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			found.add(place(data, i), raw(fmt.Sprintf("byte 0x%02x", data[i])), "write the file in UTF-8")
			return nil, found.err()
		}
		i += size
	}
	// A Decoder's offsets leave out what Token has passed, so errors of syntax
	// are found by a pass of their own.
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		at := 0
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = int(syntax.Offset) - 1
		}
		found.add(place(data, at), raw("not JSON"), err.Error())
		return nil, found.err()
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	root, err := readNode(dec, maxDepth)
	if err != nil {
		found.add(place(data, int(dec.InputOffset())-1), raw("not a policy"), err.Error())
		return nil, found.err()
	}
	return root, nil
}

var errDepth = errors.New("it nests too deep; a policy is an object with a list of rules")

func readNode(dec *json.Decoder, depth int) (*node, error) {
	if depth == 0 {
		return nil, errDepth
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{token: token}
	switch token {
	case json.Delim('{'):
		for dec.More() {
			token, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ := token.(string) // always one
			value, err := readNode(dec, depth-1)
			if err != nil {
				return nil, err
			}
			n.members = append(n.members, member{name, value})
		}
	case json.Delim('['):
		for dec.More() {
			item, err := readNode(dec, depth-1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	default:
		return n, nil
	}
	_, err = dec.Token() // the closing delimiter
	return n, err
}

// place names the line and column of byte i of data, both from 1.
func place(data []byte, i int) string {
	before := data[:min(max(i, 0), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}
