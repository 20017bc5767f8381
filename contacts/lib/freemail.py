"""Domains at which anybody gets a mailbox, from a provider or from an internet connection.

An address there says nothing about the company somebody works for, so it never links a contact to an account.
"""

# Providers that use one name under many country domains: yahoo.com, yahoo.co.uk, yahoo.co.jp, ...
FREE_MAIL_FAMILIES = frozenset({
    "gmail", "googlemail", "gmx", "hotmail", "outlook", "protonmail", "rocketmail", "yahoo", "yandex", "ymail",
})  # fmt: skip

FREE_MAIL = frozenset(
    """
126.com 139.com 163.com 188.com 21cn.com abv.bg aim.com alice.it aliceadsl.fr aliyun.com aol.com aol.de aol.fr
aol.co.uk aol.it arcor.de atlas.cz att.net azet.sk bell.net bellsouth.net bigpond.com bigpond.net.au bk.ru
blueyonder.co.uk bluewin.ch bol.com.br btinternet.com caiway.nl casema.nl centrum.cz centrum.sk centurylink.net
chello.at chello.nl charter.net club-internet.fr comcast.net cox.net daum.net disroot.org dispostable.com duck.com
earthlink.net email.com email.cz email.it eircom.net embarqmail.com eresmas.com eudoramail.com express.net.ua
fastmail.com fastmail.fm fastwebnet.it foxmail.com free.fr freemail.hu freenet.de frontier.com frontiernet.net
fuse.net globo.com globomail.com guerrillamail.com hanmail.net hetnet.nl home.nl home.se hushmail.com i.ua
icloud.com ig.com.br inbox.com inbox.lv inbox.ru indiatimes.com inet.hr interia.pl internode.on.net iprimus.com.au
juno.com kabelmail.de kakao.com kolabnow.com kpnmail.nl kpnplanet.nl laposte.net lavabit.com libero.it list.ru
live.at live.be live.ca live.cl live.cn live.co.uk live.co.za live.com live.com.ar live.com.au live.com.mx
live.com.pt live.com.sg live.de live.dk live.fi live.fr live.hk live.ie live.in live.it live.jp live.nl live.no
live.ru live.se luukku.com mac.com mail.bg mail.com mail.de mail.dk mail.ee mail.ru mailbox.org mailfence.com
mailinator.com mailo.com me.com mindspring.com msn.com myself.com naver.com nate.com netcologne.de netcourrier.com
netscape.net netzero.net neuf.fr ntlworld.com numericable.fr o2.co.uk o2.pl online.de online.nl online.no onet.eu
onet.pl op.pl optimum.net optonline.net optusnet.com.au orange.fr orange.es orange.net outlook.com pacbell.net
passport.com pec.it planet.nl pm.me pobox.com poczta.fm poczta.onet.pl posteo.de posteo.net proton.me prodigy.net.mx
ptd.net qq.com quicknet.nl rambler.ru rediffmail.com roadrunner.com rogers.com runbox.com sapo.pt sbcglobal.net
seznam.cz sfr.fr shaw.ca simplelogin.com sina.cn sina.com sky.com skynet.be snafu.de sohu.com spamgourmet.com
startmail.com sunrise.ch suddenlink.net swissonline.ch sympatico.ca t-online.de talktalk.net telenet.be telfort.nl
telia.com telus.net terra.com.br terra.es tin.it tiscali.co.uk tiscali.it tlen.pl tele2.nl tutamail.com tutanota.com
tutanota.de tuta.io tuta.com ukr.net uol.com.br upcmail.nl usa.net verizon.net videotron.ca virgilio.it virgin.net
virginmedia.com vodafone.de vodafone.it voila.fr volny.cz vp.pl walla.co.il wanadoo.es wanadoo.fr wanadoo.nl web.de
windowslive.com windstream.net wp.pl wxs.nl xs4all.nl xtra.co.nz yeah.net yopmail.com zoho.com zohomail.com
zonnet.nl ziggo.nl zoznam.sk
""".split()  # noqa: SIM905 -- reads better than a list of quoted strings
)
