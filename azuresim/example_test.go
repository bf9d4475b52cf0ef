package azuresim_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/posternhq/postern/azuresim"
)

func Example() {
	sim, err := azuresim.New(azuresim.Demo(), azuresim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "/subscriptions?api-version=2022-12-01", nil)
	req.Header.Set("Authorization", "Bearer any-token-will-do")
	rec := httptest.NewRecorder()
	sim.ServeHTTP(rec, req)

	var list struct {
		Value []struct{ DisplayName string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
		log.Fatal(err)
	}
	for _, sub := range list.Value {
		fmt.Println(sub.DisplayName)
	}
	// Output:
	// shop-production
	// shop-analytics
	// people
}
