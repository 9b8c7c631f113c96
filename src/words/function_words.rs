//! Function words, which hold a sentence together and say nothing about its subject: articles, pronouns, prepositions,
//! auxiliary verbs, question words.
//!
//! In a memory with few rows such a word may be rare, but still says next to nothing about a row. The words are written
//! as the index has them before stemming: in lower case and without accents. Words that also name things ("will",
//! "can") are left out if the thing is common.

use std::collections::HashMap;
use std::sync::LazyLock;

/// For each word of a question, whether it is a function word. A function word of one language is a name or a thing in
/// another ("war", "die", "Ada"), so only the languages count that have the most function words in the question.
pub(crate) fn among(words: &[&str]) -> Vec<bool> {
    let known: Vec<u32> = words.iter().map(|word| KNOWN.get(word).copied().unwrap_or_default()).collect();
    let spoken = |language: u32| known.iter().filter(|known| *known & (IS_AMBIGUOUS | language) == language).count();
    let spoken: Vec<(u32, usize)> = (0..LANGUAGES.len()).map(|at| 1 << at).map(|bit| (bit, spoken(bit))).collect();
    let most = spoken.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let languages = spoken.iter().filter(|(_, count)| *count == most && most > 0).fold(0, |all, (bit, _)| all | bit);
    let is_one = |(word, known): (&&str, &u32)| {
        if word.chars().all(super::is_alone) {
            return word.chars().all(|character| ALONE.contains(character)) || known & IS_PAIR != 0;
        }
        // One word is too little evidence to take an ambiguous word for a function word.
        (most > 1 || known & IS_AMBIGUOUS == 0) && known & languages != 0
    };
    words.iter().zip(&known).map(is_one).collect()
}

const IS_AMBIGUOUS: u32 = 1 << 30;
const IS_PAIR: u32 = 1 << 31;

/// For each listed word, the lists that contain it: one bit per language, in their order.
static KNOWN: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
    let languages = LANGUAGES.iter().enumerate().map(|(at, words)| (*words, 1 << at));
    let mut known = HashMap::new();
    for (words, bit) in languages.chain([(AMBIGUOUS, IS_AMBIGUOUS), (PAIRS, IS_PAIR)]) {
        for word in words.split_ascii_whitespace() {
            *known.entry(word).or_default() |= bit;
        }
    }
    known
});

/// Words that are a name or name a thing in one of many languages, and so do not show by themselves which language is
/// spoken.
const AMBIGUOUS: &str = "ada ama an ante art ben bin biz car come comment con dan day den die dir door dos dove due era eras fait far fast \
     fin font fra gift han hans hat hay hem her hoe hun im ja jo jos kan kim las led len mai man mana mas men met mia mine mot \
     ned nos on or par pas per plus pour pro reeds sal sea sen sera sin sol solo son su sur tai tan ten ti ton tot van var via wan \
     want war was wel wie wil will";

/// Chinese and Japanese characters that are function words by themselves.
const ALONE: &str = "的了吗呢吧啊呀嘛是我你您他她它们在有和与跟也都就还又才这那哪个些什么怎谁几得地着过把被让给对从到要会能可以很\
                     不没吧请说想去来上下里为因所但而或如果们嗎個這們對從會來時為還讓給\
                     はがをにでとものかへやよねわぞさ";

/// Pairs that are function words although one of their characters is not.
const PAIRS: &str = "什么 怎么 怎样 哪里 哪儿 多少 时候 为何 自己 现在 一个 一下 一些 已经 知道 告诉 关于 \
                     です ます した して いる ある こと もの から まで など なに どこ いつ だれ どれ どの どう これ それ あれ この その あの \
                     さん すか まし ませ せん でし たか たい ない なく なり なる ても だっ った って てい いま いう うい という する しま れる られ \
                     けど ので のは のが のを には では とは とか なん なの だけ くだ ださ さい おし しえ えて 教え ため よう ような ほど ころ ごろ \
                     은요 는요 이가 에서 으로 하고 에게 까지 부터 무엇 어디 언제 누구 어떻 떻게 나는 저는 우리 이다 니다 습니 니까 했어 있어 있는";

const LANGUAGES: [&str; 16] = [
    // English
    "a about above after again all also although always am among an and another any anyone anything are aren around as \
     at away back be became because become been before being below between both but by came cannot come could couldn d \
     did didn do does doesn doing don done down during each either else ever every everyone everything few for from \
     further gave get gets getting give given go goes going gone got had hadn has hasn have haven having he her here hers \
     herself him himself his how however i if in instead into is isn it its itself just let ll m many may maybe me might \
     mine more most much must my myself neither no nobody none nor not nothing now of off often ok on once one ones only or \
     other others our ours out over own perhaps please quite rather re really s said same say says shall she should \
     shouldn since so some someone something sometimes soon still such t than that the their theirs them themselves then \
     there these they thing things this those though through thus to together too toward towards tell told under until up \
     upon us ve very was wasn we well went were weren what whatever when where whether which while who whole whom whose why \
     will with within without won would wouldn yes yet you your yours yourself",
    // German
    "ab aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus ausser bei beim bereits \
     besonders bin bis bist bitte bzw da dabei dadurch dafur daher damit danach dann daran darauf daraus darf darum das dass \
     davon davor dazu dein deine deinem deinen deiner dem den denn der deren des deshalb dessen dich die dies diese diesem \
     diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einmal er erst es etwa etwas euch euer \
     eure fur ganz gar gegen gehabt genau gerade gern gewesen gibt hab habe haben hat hatte hatten hattest hier hin hinter \
     ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja je jede jedem jeden jeder jedes jemand jetzt kann \
     kannst kein keine keinem keinen keiner konnen konnte konnten machen macht mal man manche mehr mein meine meinem meinen \
     meiner mich mir mit muss mussen musste nach nachdem neben nein nicht nichts nie niemand noch nun nur ob oder ohne per \
     schon sehr sei sein seine seinem seinen seiner seit selbst sich sie sind so sobald solche soll sollen sollte sollten \
     sondern sonst soviel sowie statt uber um und uns unser unsere unserem unseren unserer unter viel viele vom von vor wann \
     war waren warum was weg wegen weil weiter welche welchem welchen welcher welches wem wen wenn wer werde werden wessen \
     wie wieder wieso wieviel wir wird wo wobei woher wohin wollen wollte worden wovon wozu wurde wurden ware zu zum zur \
     zwar zwischen",
    // Spanish
    "a aca ahi al algo alguien alguna algunas alguno algunos alla alli ante antes aquel aquella aquellas aquello aquellos \
     aqui asi aun aunque bajo bien cada casi como con conmigo contigo contra cual cuales cualquier cuando cuanta cuantas \
     cuanto cuantos cuya cuyo de del desde despues donde dos durante e el ella ellas ello ellos en entonces entre era eran \
     eras eres es esa esas ese eso esos esta estaba estaban estamos estan estar estas este esto estos estoy estuvo fue \
     fueron fui ha habia habian han has hasta hay haya he hemos hizo incluso ir jamas la las le les lo los luego mas me mi \
     mia mias mientras mio mios mis mismo misma mucha muchas mucho muchos muy nada nadie ni ningun ninguna ninguno no nos \
     nosotros nuestra nuestras nuestro nuestros nunca o os otra otras otro otros para pero poco por porque pues que quien \
     quienes se sea ser si sido siempre sin sino sobre solo somos son soy su sus suya suyo tal tambien tampoco tan tanto te \
     tenemos tenia tener tengo ti tiene tienen tienes toda todas todavia todo todos tras tu tus tuvo tuya tuyo u un una unas \
     uno unos usted ustedes va vamos van vez voy vosotros vuestra vuestro y ya yo",
    // French
    "a afin ai ainsi alors apres as assez au aucun aucune aujourd auquel aussi autre autres aux auxquels avaient avais avait \
     avant avec avez avoir avons ayant beaucoup bien c car ce ceci cela celle celles celui cent ces cet cette ceux chaque \
     chez combien comme comment contre d dans de deja depuis derriere des desormais dessous dessus devant doit donc dont du \
     durant elle elles en encore enfin entre es est et etaient etais etait etant ete etes etre eu eux fait faire fois font \
     hors il ils j jamais je jusqu jusque l la laquelle le lequel les lesquelles lesquels leur leurs lors lorsque lui m ma \
     mais malgre me meme memes mes mien mienne moi moins mon n ne ni non nos notre nous on ont ou par parce parmi pas \
     pendant peu peut plus plusieurs plutot pour pourquoi pres puis puisque qu quand que quel quelle quelles quelqu quelque \
     quelques quels qui quoi quoique s sa sans sauf se selon sera serait seront ses seulement si sien soi soit sommes son \
     sont sous souvent suis sur t ta tandis tant te tel telle telles tels tes toi ton toujours tous tout toute toutes tres \
     trop tu un une va vais vers voici voila vont vos votre vous y",
    // Arabic
    "ا اذا اذن ال الا التي الذي الذين اللاتي اللذان اللواتي الي اليه اليها ام اما امام ان انا انت انتم انتما انه انها اي ايضا \
     اين او اول ايا بعد بعض بل بما به بها بهذا بين بينما تحت تكون تلك ثم جدا جميع حتي حول حيث حين خلال دون ذلك سوف شيء ضد عن \
     عند عندما عنه عنها عند علي عليه عليها عليك غير فان فقط فهو فهي في فيه فيها فيما قد قبل كان كانت كانوا كذلك كل كلا كم كما \
     كنا كنت كي كيف لا لان لدي لديه لديها لدينا لك لكن لكي لم لما لماذا لن لنا له لها لهم لو لي ليس ليست ما ماذا متي مثل مع معه \
     معها معي معك من منذ منه منها مني منك نحن نحو نعم هؤلاء هذا هذه هل هم هما هنا هناك هو هي هيا و وان وقد وكان وكانت ولا ولكن \
     ولم وما ومن وهو وهي يا يكون يجب التي ايش شو ليش وين مين ازاي ايه فين اللي عشان علشان كده دي ده احنا انتي عم لسا لسه",
    // Hindi
    "अगर अपना अपनी अपने अब अभी आदि आप आपका आपकी आपके आपको आपने इन इनका इनकी इनके इस इसका इसकी इसके इसको इसलिए इसी इसे उन उनका \
     उनकी उनके उनको उनसे उन्हे उन्हें उन्होंने उस उसका उसकी उसके उसको उसने उससे उसी उसे एक ऐसा ऐसी ऐसे और कब कभी कर करता करती करते \
     करना करने करके कहा कहां कहाँ का कि कितना कितनी कितने किन किया किस किसका किसकी किसके किसको किसने किससे किसी की कुछ के केवल \
     कैसा कैसी कैसे को कोई कौन कौनसा कौनसी क्या क्यों गई गए गया गयी चाहिए जब जहां जहाँ जा जाता जाती जाते जाना जिन जिस जिसका \
     जिसकी जिसके जिसने जिसे जैसा जैसी जैसे जो तक तब तरह तुम तुम्हारा तुम्हारी तुम्हारे तुम्हें तू तेरा तेरी तेरे तो था थी थे थीं \
     दिया दी दे दो द्वारा न नहीं ना नही ने पर पहले फिर बहुत बाद बारे बिना भी मगर मत में मे मेरा मेरी मेरे मुझको मुझसे मुझे मैं \
     मैने मैंने यदि यह यहां यहाँ या ये रहा रही रहे लिए लिये ले लेकिन वह वहां वहाँ वाला वाली वाले वे वो सकता सकती सकते सब सभी \
     साथ से सो हम हमने हमारा हमारी हमारे हमें ही हुआ हुई हुए हूँ हूं हे है हैं हो होता होती होते होना होने हां हाँ",
    // Italian
    "a abbiamo ad agli ai al alla alle allo anche ancora aveva avevano avere avete bene c che chi ci come con contro cosa \
     cosi cui da dagli dai dal dalla dalle dallo degli dei del dell della delle dello di dopo dov dove e ed era erano essere \
     fa fra ha hai hanno ho i il in io l la le lei li lo loro lui ma me mentre mi mia mie miei mio molto ne negli nei nel \
     nella nelle nello no noi non nostra nostro o ogni per perche piu poi prima qual quale quali quando quanto quella quelle \
     quelli quello questa queste questi questo qui se sei senza si sia siamo siete solo sono sopra sta sua sue sugli sui sul \
     sulla suo suoi te ti tra tu tua tue tuo tuoi tutti tutto un una uno vi voi vostra vostro",
    // Portuguese
    "a ao aos aquela aquelas aquele aqueles aquilo as ate cada com como da das de dela delas dele deles depois do dos e ela \
     elas ele eles em entre era eram essa essas esse esses esta estao estas estava este estes estou eu foi foram ha isso \
     isto ja la lhe lhes mais mas me mesmo meu meus minha minhas muito na nao nas nem no nos nossa nossas nosso nossos num \
     numa o onde os ou para pela pelas pelo pelos por porque qual quais quando que quem se sem ser seu seus so sua suas sou \
     tambem te tem tenho ter teu teus tinha tu tua tuas tudo um uma umas uns vai voce voces",
    // Dutch
    "aan al alle alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er ge geen \
     haar had heb hebben heeft hem het hier hij hoe hoeveel hun iemand iets ik in is ja je jij jou jouw jullie kan kon kunnen \
     maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons onze ook op over reeds te tegen toch \
     toen tot u uit uw van veel voor waar waarom wanneer want waren was wat we welk welke werd wezen wie wij wil worden wordt \
     zal ze zelf zich zij zijn zo zonder zou",
    // Swedish, Danish, Norwegian
    "af al alla alle allt alt andre att av blev bli blir bliver da de dem den denna denne der deras deres det dets detta dette \
     dig dig din dina dine disse ditt dit du e efter eller en end ens er et ett for fra fran fordi forst ga ha hade han hans \
     har hende hendes hennes her her hos hun hur hva hvad hvem hver hvilken hvis hvor hvorfor i icke ikke in inte ind ja jag \
     jeg jo kan kom kun kunde kunne man mange med meg mej mellan mellom men mer mig min mina mine mit mitt mot mycket na nar \
     ned nej nei noen nogen noget nogle nok nu ny och og ogsa om op opp os oss over pa samma sedan seg selv ser si sig sin \
     sina sine sit sitt ska skal skulle som sa till til ud under upp ut vad vem var vara vart ved vi vid vil ville vilken \
     vore vort vor var vara",
    // Finnish
    "en ei ja jo jos joka jotka kanssa koska kuin kuka kun he han hanen hanta me mika mina minun minua minulla mita missa \
     milloin miksi miten mutta myos ne niin nyt olen olet oli olivat olla on ovat se sen sina sinun sita siis sitten ta tai \
     tama taman te tuo vain vai vaikka viela",
    // Polish
    "a aby ale bardzo bez bo byc byl byla bylo byly by co czy dla do gdy gdzie go i ich ile im inne ja jak jaka jaki jakie je \
     jego jej jest jestem jeszcze jesli juz kiedy kto ktora ktore ktory ma mam mi mnie moj moja moje moze my na nad nam nas \
     nasz nic nie nigdy niz o od on ona one oni ono po pod przed przez przy sa sie skad soba swoj ta tak taki tam te tego tej \
     ten to tu twoj ty tych tylko tym u w was we wiec wszystko z za ze zeby",
    // Russian, Ukrainian
    "а без был была были было быть в вам вас ваш весь во вот все всего всех вы где да даже для до его ее если есть еще ей же за \
     здесь и из или им их к как какая какие какой ко когда кого кому которая которые который кто куда ли либо между меня мне \
     мог мои мой моя мы на над надо нам нас наш не него нее ней нет ни них но ну о об однако он она они оно от очень перед по \
     под после потом потому почему при про с сам свой себя сейчас сколько со так такая также такие такой там те тебе тебя тем \
     то тобой того тоже только том тот ту ты у уже чего чей чем что чтобы эта эти это этот я \
     або але би був була були було бути вже ви від вона вони все він да де для до дуже є же з за зі і із й його коли кому куди \
     лише ми мені мене мій моя на над нам нас не ні про під після скільки так та там те тебе ти тільки то у хто це цей ця чи чого \
     чому що щоб ще як яка яке який які я",
    // Turkish
    "acaba ama ancak bana bazi belki ben benim beni bir biraz biz bizim bu bunu bunun cok cunku da daha de degil defa en gibi \
     hangi hep hem hic icin ile ise kac kadar ki kim kime mi mu ne neden nerede nereye nasil o olan olarak oldu olsa ona onlar \
     onu onun sana sen senin siz sizin sonra su ve veya var ya yani yok zaman",
    // Hebrew
    "אבל או אולי אותו אותה אותי אז איזה איך אין איפה אל אם אני אנחנו אף אתה אתם את באיזה בין בכל בלי בשביל גם דרך ה הוא היא היה \
     היו הייתי היתה הם הן הזה הזאת ו זאת זה זו יותר יש כאן כדי כי כל כמה כמו כן ל לא לאן לה להם לו לי לך לכם למה לנו לפני מ מאוד \
     מה מי מתי על עד עוד עם עכשיו פה רק של שלה שלהם שלו שלי שלך שלנו שם תמיד",
    // Indonesian
    "ada adalah agar akan aku anda apa apakah atau bagaimana bahwa banyak berapa bisa dalam dan dari dengan di dia dimana ini \
     itu jika juga kami kamu kapan karena ke kenapa kita lagi lebih mana mereka mengapa oleh pada saja saya sangat sebagai \
     sudah tapi telah tidak untuk yang",
];

#[cfg(test)]
mod tests {
    use super::among;

    #[test]
    fn what_holds_sentences_together_says_nothing() {
        for (question, content) in [
            ("what food makes me ill", "food makes ill"),
            ("me", ""),
            ("who died in the war", "died war"),
            ("wann war der krieg", "krieg"),
            ("ada peanuts", "ada peanuts"),
            ("what must ada not eat", "ada eat"),
            ("war", "war"),
            ("worauf habe ich mich gefreut", "worauf gefreut"),
            ("donde esta mi coche", "coche"),
            ("ou sont les clefs de la maison", "clefs maison"),
            ("متي طعام الذي", "طعام"),
            ("किसने खाना क्या", "खाना"),
            ("什么 花生 我的 的", "花生"),
            ("です 食べ には は", "食べ"),
        ] {
            let words: Vec<&str> = question.split(' ').collect();
            let says: Vec<&str> =
                words.iter().zip(among(&words)).filter(|(_, is_one)| !is_one).map(|(word, _)| *word).collect();
            assert_eq!(says.join(" "), content, "{question}");
        }
    }
}
