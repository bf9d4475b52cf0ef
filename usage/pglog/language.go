package pglog

import "bytes"

// foreignPhrases are the beginnings of the messages about connections in the
// languages of PostgreSQL 15 (src/backend/po), up to the first value. Some of these
// languages leave LOG and FATAL as they are, and others of them did in other
// versions, so that a severity alone does not show the language.
var foreignPhrases = byFirst(
	// German.
	"Replikationsverbindung autorisiert:", "Verbindung authentifiziert:", "Verbindung autorisiert:",
	"Verbindung empfangen:", "Verbindungsende:", "kein pg_hba.conf-Eintrag für Host",
	"kein pg_hba.conf-Eintrag für Replikationsverbindung von Host",
	"pg_hba.conf lehnt Replikationsverbindung ab für Host", "pg_hba.conf lehnt Verbindung ab für Host",
	// Spanish.
	"conexión autenticada:", "conexión autorizada:", "conexión de replicación autorizada:",
	"conexión recibida:", "desconexión:", "no hay una línea en pg_hba.conf para",
	"pg_hba.conf rechaza la conexión de replicación para el servidor",
	"pg_hba.conf rechaza la conexión para el servidor",
	// French.
	"aucune entrée dans pg_hba.conf pour l'hôte",
	"aucune entrée dans pg_hba.conf pour la connexion de la réplication à partir de",
	"connexion authentifiée :", "connexion autorisée :", "connexion de réplication autorisée :",
	"connexion reçue :", "déconnexion :", "pg_hba.conf rejette la connexion de la réplication pour l'hôte",
	"pg_hba.conf rejette la connexion pour l'hôte",
	// Italian.
	"connessione autenticata:", "connessione autorizzata:", "connessione di replica autorizzata:",
	"connessione ricevuta:", "disconnessione:",
	"nessuna voce in pg_hba.conf per connessioni di replica da host",
	"nessuna voce in pg_hba.conf per l'host", "pg_hba.conf rifiuta connessioni di replica per l'host",
	"pg_hba.conf rifiuta connessioni per l'host",
	// Japanese.
	"pg_hba.conf にホスト", "pg_hba.conf の設定でホスト", "レプリケーション接続の認証完了:", "接続の認証完了:", "接続を切断:", "接続を受け付けました:",
	"接続認証完了:",
	// Georgian.
	"pg_hba.conf უარყოფს მიერთებას ჰოსტისთვის", "pg_hba.conf უარყოფს რეპლიკაციის მიერთებას ჰოსტისთვის",
	"pg_hba.conf-ში ჩანაწერი რეპლიკაციის შეერთების შესახებ ჰოსტიდან", "pg_hba.conf-ში ჩანაწერი ჰოსტისთვის",
	"მიერთება ავთენტიფიცირებულია:", "რეპლიკაციის შეერთება ავტორიზებულია:", "შეერთება ავტორიზებულია:",
	"შემოსული დაკავშირება:",
	// Korean.
	"복제 연결 인증:", "연결 인증:", "연결 인증됨:", "연결종료:", "접속 수락:", "호스트 \"",
	// Russian.
	"pg_hba.conf отвергает подключение для репликации: компьютер",
	"pg_hba.conf отвергает подключение: компьютер", "в pg_hba.conf нет записи для компьютера",
	"в pg_hba.conf нет записи, разрешающей подключение для репликации с компьютера", "отключение:",
	"подключение авторизовано:", "подключение для репликации авторизовано:", "принято подключение:",
	"соединение аутентифицировано:",
	// Swedish.
	"ansluting mottagen:", "anslutning auktoriserad:", "anslutning autentiserad:",
	"ingen rad i pg_hba.conf för replikeringsanslutning från värd", "ingen rad i pg_hba.conf för värd",
	"nedkoppling:", "pg_hba.conf avvisar anslutning för värd",
	"pg_hba.conf avvisar replikeringsanslutning för värd", "replikeringsanslutning auktoriserad:",
	// Ukrainian.
	"pg_hba.conf відхиляє підключення для хосту", "pg_hba.conf відхиляє підключення реплікації для хосту",
	"в pg_hba.conf немає запису для хосту",
	"в pg_hba.conf немає запису, що дозволяє підключення для реплікації з хосту", "відключення:",
	"з'єднання отримано:", "підключення автентифіковано:", "підключення авторизовано:",
	"підключення для реплікації авторизовано:",
	// Chinese.
	"pg_hba.conf 记录拒绝来自主机", "pg_hba.conf中的记录拒绝来自主机", "复制连接已经授权:", "已授权连接 :", "已授权连接:", "已接收到连接:", "断开连接:",
	"没有来自主机", "没有用于主机",
)

// byFirst sorts phrases by their first byte: most messages need no comparison.
func byFirst(phrases ...string) (out [256][][]byte) {
	for _, p := range phrases {
		out[p[0]] = append(out[p[0]], []byte(p))
	}
	return out
}

// isForeignMessage reports whether a message is about a connection, in another
// language than English.
func isForeignMessage(m []byte) bool {
	if len(m) == 0 {
		return false
	}
	for _, p := range foreignPhrases[m[0]] {
		if bytes.HasPrefix(m, p) {
			return true
		}
	}
	return false
}
