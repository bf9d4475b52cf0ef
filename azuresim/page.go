package azuresim

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// page answers the part of a list that the request asks for. Lists that do not
// page are answered whole.
func page[T any](c *call, items []T, pages bool, render func(T) any) reply {
	from, size := 0, len(items)
	if pages {
		size = c.sim.opts.PageSize
		if token := c.req.URL.Query().Get("$skiptoken"); token != "" {
			n, valid := parseSkipToken(token)
			if !valid || n > len(items) {
				return (&fail{status: http.StatusBadRequest, code: "InvalidSkipToken",
					message: "The skip token is not one that was handed out."}).reply()
			}
			from = n
		}
	}
	to := min(from+size, len(items))
	value := make([]any, 0, to-from)
	for _, item := range items[from:to] {
		value = append(value, render(item))
	}
	body := map[string]any{"value": value}
	last := to == len(items)
	if !last {
		body["nextLink"] = c.nextLink(c.base, skipToken(to))
	}
	c.bendPage(body, pages && last && len(value) > 0)
	return ok(body)
}

// nextLink is the request's own address with another skip token, absolute and
// on the given scheme and host, spelled as the recorded ones are.
func (c *call) nextLink(base, token string) string {
	q := c.req.URL.Query()
	q.Set("$skiptoken", token)
	return base + c.req.URL.EscapedPath() + "?" + q.Encode()
}

func skipToken(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("from:" + strconv.Itoa(n)))
}

func parseSkipToken(token string) (int, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	digits, found := strings.CutPrefix(string(raw), "from:")
	n, errNumber := strconv.Atoi(digits)
	return n, err == nil && errNumber == nil && found && n >= 0
}
